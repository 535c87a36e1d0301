# SPDX-License-Identifier: MIT
# viperhttp for ports that build with CMake: the esp32 port, and this file is for it.
#
# VHTTP_GENERATED is the folder of vhttp_config.h (the settings) and viperhttp_build.h
# (VHTTP_BUILD_ID), which the build writes.
if(NOT EXISTS "${VHTTP_GENERATED}/vhttp_config.h")
    message(FATAL_ERROR
        "VHTTP_GENERATED must name the folder of vhttp_config.h and viperhttp_build.h")
endif()

set(VIPERHTTP_DIR ${CMAKE_CURRENT_LIST_DIR})

file(GLOB VIPERHTTP_CORE CONFIGURE_DEPENDS ${VIPERHTTP_DIR}/core/*.c)
# The chip's ROM compresses: port/esp32_deflate.c.
list(REMOVE_ITEM VIPERHTTP_CORE ${VIPERHTTP_DIR}/core/deflate.c ${VIPERHTTP_DIR}/core/huffman.c)

# With MicroPython's names or headers in them.
set(VIPERHTTP_BINDING
    ${VIPERHTTP_DIR}/binding/call_service.c
    ${VIPERHTTP_DIR}/binding/content.c
    ${VIPERHTTP_DIR}/binding/field_lines.c
    ${VIPERHTTP_DIR}/binding/figures.c
    ${VIPERHTTP_DIR}/binding/file_service.c
    ${VIPERHTTP_DIR}/binding/float_text.c
    ${VIPERHTTP_DIR}/binding/function_parameters.c
    ${VIPERHTTP_DIR}/binding/gzip_copy.c
    ${VIPERHTTP_DIR}/binding/html_escape.c
    ${VIPERHTTP_DIR}/binding/json_reader.c
    ${VIPERHTTP_DIR}/binding/json_string.c
    ${VIPERHTTP_DIR}/binding/json_writer.c
    ${VIPERHTTP_DIR}/binding/modviperhttp.c
    ${VIPERHTTP_DIR}/binding/names_dict.c
    ${VIPERHTTP_DIR}/binding/request_object.c
    ${VIPERHTTP_DIR}/binding/request_response.c
    ${VIPERHTTP_DIR}/binding/signal_object.c
    ${VIPERHTTP_DIR}/binding/vfs_files.c
)
set(VIPERHTTP_ON_MICROPYTHON
    ${VIPERHTTP_BINDING} ${VIPERHTTP_DIR}/binding/build_info.c ${VIPERHTTP_DIR}/port/esp32.c
)

# Sources of the interface library that a user module usually is would be compiled twice, in the
# component `main` and in micropython.elf, and the latter copy is linked, without the component's
# options: no -O2, no ESP_PLATFORM, no work-around for the ESP32's PSRAM. So they are compiled here,
# once, as `main` itself is, and linked as objects, as extmod.cmake does it with btree.
add_library(viperhttp OBJECT
    ${VIPERHTTP_CORE}
    ${VIPERHTTP_ON_MICROPYTHON}
    ${VIPERHTTP_DIR}/port/esp32_deflate.c
    ${VIPERHTTP_DIR}/port/esp32_health.c
    ${VIPERHTTP_DIR}/port/esp32_sockets.c
)
set_target_properties(viperhttp PROPERTIES LINKER_LANGUAGE C)
target_include_directories(viperhttp PRIVATE
    ${VIPERHTTP_DIR}/core
    ${VIPERHTTP_DIR}/port
    ${VIPERHTTP_DIR}/binding
    ${VHTTP_GENERATED}
    $<TARGET_PROPERTY:idf::main,INCLUDE_DIRECTORIES>
)
target_compile_definitions(viperhttp PRIVATE $<TARGET_PROPERTY:idf::main,COMPILE_DEFINITIONS>)
target_compile_options(viperhttp PRIVATE
    $<TARGET_PROPERTY:idf::main,COMPILE_OPTIONS>
    -O2        # also where a board has MicroPython compiled for size
    -Wno-error # what another compiler than ours warns of does not stop a build
    -ffile-prefix-map=${VIPERHTTP_DIR}=firmware/cmodules/viperhttp # the same bytes in any folder
    -ffile-prefix-map=${VHTTP_GENERATED}=viperhttp
)

# Headers that mkrules.cmake has made for `main`.
set(VIPERHTTP_GENHDR ${CMAKE_BINARY_DIR}/genhdr)
set_source_files_properties(${VIPERHTTP_ON_MICROPYTHON} PROPERTIES OBJECT_DEPENDS
    "${VIPERHTTP_GENHDR}/compressed.data.h;${VIPERHTTP_GENHDR}/moduledefs.h;\
${VIPERHTTP_GENHDR}/mpversion.h;${VIPERHTTP_GENHDR}/qstrdefs.generated.h;\
${VIPERHTTP_GENHDR}/root_pointers.h"
)

# What esp32_common.cmake scans for names, modules and root pointers.
list(APPEND MICROPY_SOURCE_QSTR ${VIPERHTTP_BINDING})

add_library(usermod_viperhttp INTERFACE)
target_include_directories(usermod_viperhttp INTERFACE
    ${VIPERHTTP_DIR}/core
    ${VIPERHTTP_DIR}/port
    ${VIPERHTTP_DIR}/binding
    ${VHTTP_GENERATED}
)
target_link_libraries(usermod_viperhttp INTERFACE $<TARGET_OBJECTS:viperhttp>)
target_link_libraries(usermod INTERFACE usermod_viperhttp)
