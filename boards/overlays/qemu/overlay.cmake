# SPDX-License-Identifier: MIT
# What makes a board's image one for QEMU, which has no Wi-Fi: the network is the Ethernet of
# OpenCores that it emulates. boards/esp32_common.cmake includes this where VHTTP_OVERLAY names this
# folder; micropython.cmake and manifest.py beside it are passed to ESP-IDF by their names.
list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.overlay)

# network.LAN, which MicroPython has for a chip with an Ethernet of its own alone.
list(APPEND MICROPY_DEF_BOARD MICROPY_PY_NETWORK_LAN=1)
