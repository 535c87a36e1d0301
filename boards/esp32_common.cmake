# SPDX-License-Identifier: MIT
# What our boards of MicroPython's esp32 port have in common: they are outside its tree
# (MICROPY_BOARD_DIR). A board's mpconfigboard.cmake includes this after it has set
# SDKCONFIG_DEFAULTS, the fragments that it is configured by, and PARTITIONS, its partition table;
# ports/esp32/CMakeLists.txt includes that file before ESP-IDF's project.cmake.

# ESP-IDF looks for the partition table's name in ports/esp32 unless it is absolute
# (components/partition_table/project_include.cmake), which no fragment can know.
get_filename_component(PARTITIONS ${PARTITIONS} ABSOLUTE)
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${PARTITIONS}\"\n"
)
list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_BINARY_DIR}/sdkconfig.partitions)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# CONFIG_APP_REPRODUCIBLE_BUILD hides the paths of ESP-IDF, of ports/esp32 and of the build folder;
# these are the others that the ELF file, whose digest is in the image, would name.
get_filename_component(MICROPYTHON ${CMAKE_CURRENT_SOURCE_DIR}/../.. ABSOLUTE)
add_compile_options(
    -ffile-prefix-map=${MICROPYTHON}=micropython
    -ffile-prefix-map=${MICROPY_BOARD_DIR}=boards/${MICROPY_BOARD}
)

# An overlay makes the board's image one for an emulator: a folder of boards/overlays.
if(VHTTP_OVERLAY)
    include(${VHTTP_OVERLAY}/overlay.cmake)
endif()
