# SPDX-License-Identifier: MIT
# What ESP-IDF's project.cmake does to a project, as far as the board and the user modules see it.
cmake_minimum_required(VERSION 3.16)

set(IDF_DOUBLE ${CMAKE_CURRENT_LIST_DIR}/../..)
if(NOT IDF_TARGET)
    set(IDF_TARGET esp32)
endif()
set(IDF_DOUBLE_CHIPS esp32 esp32s2 esp32s3)
if(NOT IDF_TARGET IN_LIST IDF_DOUBLE_CHIPS)
    message(FATAL_ERROR "File $ENV{IDF_PATH}/tools/cmake/toolchain-${IDF_TARGET}.cmake not found. "
        "Target '${IDF_TARGET}' is not supported.")
endif()

function(idf_build_set_property name value)
    set_property(GLOBAL PROPERTY IDF_DOUBLE_${name} "${value}")
endfunction()

# Run a part of the double that is written in Python; what it refuses stops cmake.
function(idf_double_run part)
    execute_process(COMMAND ${PYTHON} -m idf_double.${part} ${ARGN} RESULT_VARIABLE result)
    if(result)
        message(FATAL_ERROR "${part} failed with ${result}")
    endif()
endfunction()

macro(project name)
    _project(${name} LANGUAGES NONE)
    find_program(IDF_DOUBLE_COMPILER xtensa-${IDF_TARGET}-elf-gcc NO_CACHE)
    if(NOT IDF_DOUBLE_COMPILER)
        message(FATAL_ERROR "The CMAKE_C_COMPILER:\n\n  xtensa-${IDF_TARGET}-elf-gcc\n\n"
            "is not a full path and was not found in the PATH.")
    endif()
    if("$ENV{IDF_COMPONENT_MANAGER}" STREQUAL "0")
        message(FATAL_ERROR "Failed to resolve component 'espressif__mdns'.")
    endif()
    idf_double_run(components ${CMAKE_CURRENT_LIST_DIR} ${IDF_TARGET})
    idf_double_run(settings ${SDKCONFIG} ${SDKCONFIG_DEFAULTS} ${IDF_TARGET})

    # The component `main`, as far as user modules name it.
    add_library(__idf_main INTERFACE)
    add_library(idf::main ALIAS __idf_main)
    get_filename_component(MICROPY_DIR ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
    include(${MICROPY_DIR}/py/usermod.cmake)
    if(NOT EXISTS ${MICROPY_DIR}/lib/micropython-lib/README.md
       OR NOT EXISTS ${MICROPY_DIR}/lib/berkeley-db-1.xx/README)
        message(FATAL_ERROR " micropython-lib not initialized.\n"
            " Run 'make BOARD=${MICROPY_BOARD} submodules'")
    endif()

    # Interface sources are compiled in `main` and again in the executable, which links its own.
    set(plan "main ${MICROPY_SOURCE_USERMOD}\n")
    get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target ${targets})
        get_target_property(kind ${target} TYPE)
        if(NOT kind STREQUAL "INTERFACE_LIBRARY")
            get_target_property(sources ${target} SOURCES)
            string(APPEND plan "${target} ${sources}\n")
        endif()
    endforeach()
    file(WRITE ${CMAKE_BINARY_DIR}/sources.txt "${plan}")
    idf_double_run(configured ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_LIST_DIR} ${MICROPY_BOARD_DIR}
        ${MICROPY_FROZEN_MANIFEST} ${IDF_TARGET} ${VHTTP_GENERATED} "${PROJECT_VER}")
endmacro()
