# A board of MicroPython's esp32 port, outside its tree (MICROPY_BOARD_DIR). ports/esp32/
# CMakeLists.txt includes this before ESP-IDF's project.cmake.
set(IDF_TARGET esp32s3)

# The partition table is shared. ESP-IDF looks for its name in ports/esp32 unless it is absolute
# (components/partition_table/project_include.cmake), which no fragment can know.
get_filename_component(PARTITIONS ${MICROPY_BOARD_DIR}/../partitions-16MiBplus.csv ABSOLUTE)
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${PARTITIONS}\"\n"
)

# Later ones win. Names that are not absolute are looked for in ports/esp32.
set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    boards/sdkconfig.ble
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram_sx
    boards/sdkconfig.spiram_oct
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${CMAKE_BINARY_DIR}/sdkconfig.partitions
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# CONFIG_APP_REPRODUCIBLE_BUILD hides the paths of ESP-IDF, of ports/esp32 and of the build folder;
# these are the others that the ELF file, whose digest is in the image, would name.
get_filename_component(MICROPYTHON ${CMAKE_CURRENT_SOURCE_DIR}/../.. ABSOLUTE)
add_compile_options(
    -ffile-prefix-map=${MICROPYTHON}=micropython
    -ffile-prefix-map=${MICROPY_BOARD_DIR}=board
)
