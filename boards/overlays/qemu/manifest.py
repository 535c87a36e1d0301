# SPDX-License-Identifier: MIT
# Python frozen into an image for QEMU: the board's own, and the network that takes Wi-Fi's place.
include("$(BOARD_DIR)/manifest.py")
module("viperhttp_overlay.py")
