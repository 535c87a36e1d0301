# SPDX-License-Identifier: MIT
# Options that are kept for this computer: `./scons save PORT=/dev/ttyUSB0` writes them here.
