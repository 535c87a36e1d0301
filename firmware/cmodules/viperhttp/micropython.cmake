# viperhttp for ports that build with CMake. VHTTP_GENERATED is the folder of viperhttp_board.h (the
# board's settings) and viperhttp_build.h (VHTTP_BUILD_ID), which the build writes.
if(NOT EXISTS "${VHTTP_GENERATED}/viperhttp_board.h")
    message(FATAL_ERROR
        "VHTTP_GENERATED must name the folder of viperhttp_board.h and viperhttp_build.h")
endif()

set(VIPERHTTP_DIR ${CMAKE_CURRENT_LIST_DIR})
file(GLOB VIPERHTTP_CORE CONFIGURE_DEPENDS ${VIPERHTTP_DIR}/core/*.c)

add_library(usermod_viperhttp INTERFACE)
target_sources(usermod_viperhttp INTERFACE
    ${VIPERHTTP_CORE}
    ${VIPERHTTP_DIR}/port/esp32.c
    ${VIPERHTTP_DIR}/binding/build_info.c
    ${VIPERHTTP_DIR}/binding/call_service.c
    ${VIPERHTTP_DIR}/binding/figures.c
    ${VIPERHTTP_DIR}/binding/file_service.c
    ${VIPERHTTP_DIR}/binding/gzip_copy.c
    ${VIPERHTTP_DIR}/binding/vfs_files.c
    ${VIPERHTTP_DIR}/binding/json_writer.c
    ${VIPERHTTP_DIR}/binding/modviperhttp.c
    ${VIPERHTTP_DIR}/binding/request_object.c
    ${VIPERHTTP_DIR}/binding/request_response.c
    ${VIPERHTTP_DIR}/binding/signal_object.c
)
target_include_directories(usermod_viperhttp INTERFACE
    ${VIPERHTTP_DIR}/core
    ${VIPERHTTP_DIR}/port
    ${VIPERHTTP_DIR}/binding
    ${VHTTP_GENERATED}
)
# The linked objects are compiled with these options alone, without the port's own -O2.
target_compile_options(usermod_viperhttp INTERFACE -O2)
target_link_libraries(usermod INTERFACE usermod_viperhttp)
