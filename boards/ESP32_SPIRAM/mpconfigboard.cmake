# SPDX-License-Identifier: MIT
# A board of MicroPython's esp32 port, outside its tree.
set(IDF_TARGET esp32)

# Later ones win. No sdkconfig.ble: see mpconfigboard.h.
set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram
    ${MICROPY_BOARD_DIR}/sdkconfig.board
)

set(PARTITIONS ${MICROPY_BOARD_DIR}/partitions.csv)

include(${MICROPY_BOARD_DIR}/../esp32_common.cmake)
