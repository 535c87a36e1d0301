# SPDX-License-Identifier: MIT
# openeth.c, compiled once, as component `main` is, and linked as an object: see viperhttp's own.
add_library(openeth OBJECT ${CMAKE_CURRENT_LIST_DIR}/openeth.c)
set_target_properties(openeth PROPERTIES LINKER_LANGUAGE C)
target_include_directories(openeth PRIVATE $<TARGET_PROPERTY:idf::main,INCLUDE_DIRECTORIES>)
target_compile_definitions(openeth PRIVATE $<TARGET_PROPERTY:idf::main,COMPILE_DEFINITIONS>)
target_compile_options(openeth PRIVATE
    $<TARGET_PROPERTY:idf::main,COMPILE_OPTIONS>
    -ffile-prefix-map=${CMAKE_CURRENT_LIST_DIR}=boards/overlays/qemu
)

add_library(usermod_openeth INTERFACE)
target_link_libraries(usermod_openeth INTERFACE $<TARGET_OBJECTS:openeth>)
target_link_options(usermod_openeth INTERFACE
    -Wl,--wrap=esp_eth_mac_new_esp32
    -Wl,--wrap=esp_eth_driver_install
)
target_link_libraries(usermod INTERFACE usermod_openeth)
