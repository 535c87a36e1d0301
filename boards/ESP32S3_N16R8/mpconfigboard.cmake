# SPDX-License-Identifier: MIT
# A board of MicroPython's esp32 port, outside its tree.
set(IDF_TARGET esp32s3)

# Later ones win. Names that are not absolute are looked for in ports/esp32.
set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    boards/sdkconfig.ble
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram_sx
    boards/sdkconfig.spiram_oct
    ${MICROPY_BOARD_DIR}/sdkconfig.board
)

set(PARTITIONS ${MICROPY_BOARD_DIR}/../partitions-16MiBplus.csv)

include(${MICROPY_BOARD_DIR}/../esp32_common.cmake)
