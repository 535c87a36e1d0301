# A board of MicroPython's esp32 port, outside its tree (MICROPY_BOARD_DIR). ports/esp32/
# CMakeLists.txt includes this before ESP-IDF's project.cmake.
set(IDF_TARGET esp32)

# ESP-IDF looks for the partition table's name in ports/esp32 unless it is absolute.
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM=y\n"
    "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${MICROPY_BOARD_DIR}/partitions.csv\"\n"
)

# Later ones win. No sdkconfig.ble: see mpconfigboard.h.
set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${CMAKE_BINARY_DIR}/sdkconfig.partitions
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# As in boards/ESP32S3_N16R8.
get_filename_component(MICROPYTHON ${CMAKE_CURRENT_SOURCE_DIR}/../.. ABSOLUTE)
add_compile_options(
    -ffile-prefix-map=${MICROPYTHON}=micropython
    -ffile-prefix-map=${MICROPY_BOARD_DIR}=board
)
