# SPDX-License-Identifier: MIT
"""A project with an input of every kind, and what is changed in it to another."""

from __future__ import annotations

import shutil
from pathlib import Path

from changes import Kind
from idf_double import Esp32Project, IdfDouble, micropython_tree
from project import copy_sources
from small_port import small_micropython

MODULES, PYTHON, BOARDS = "firmware/cmodules", "firmware/python", "boards"
KINDS_MODULE = f"{MODULES}/kinds"
UNIX, ESP32 = "VIRTUAL_N16R8", "ESP32S3_N16R8"
MICROPYTHON = {UNIX: "mp-unix", ESP32: "mp-esp32"}  # the tree that each board is built of

# A module with a file of each kind that a compiler, an assembler or make reads.
MODULE_FILES = {
    "micropython.mk": """\
KINDS_DIR := $(USERMOD_DIR)
-include $(KINDS_DIR)/more.mk
SRC_USERMOD_C += $(KINDS_DIR)/kinds.c
SRC_USERMOD_LIB_C += $(KINDS_DIR)/memory_use.c
SRC_USERMOD_LIB_CXX += $(KINDS_DIR)/plus.cpp
SRC_USERMOD_LIB_ASM += $(KINDS_DIR)/data.S
CFLAGS_USERMOD += -I$(KINDS_DIR) -I$(KINDS_DIR)/inc -I$(VHTTP_GENERATED) -DFROM_MK=\\"mk-one\\"
LDFLAGS_USERMOD += -Wl,--undefined=memory_use
""",
    "more.mk": 'CFLAGS_USERMOD += -DFROM_MORE=\\"more-one\\"\n',
    "kinds.c": """\
#include "kinds.h"
#include "text.inc"
#include "vhttp_config.h"
#include "viperhttp_build.h"
#ifdef FROM_MORE
const char from_more[] = FROM_MORE;
#endif
const char kinds[] = "c-one" FROM_HEADER FROM_INC FROM_MK FROM_VARIANT FROM_SHARED VHTTP_BUILD_ID;
const int setting = VHTTP_MAX_CONNECTIONS;
__asm__(".section .rodata\\n.incbin \\"read.h\\"\\n.previous");
""",
    "kinds.h": '#define FROM_HEADER "header-one"\n',
    "inc/text.inc": '#define FROM_INC "inc-one"\n',
    "plus.cpp": 'extern const char plus[];\nconst char plus[] = "cpp-one";\n',
    "data.S": """\
#include "data.h"
.section .rodata
.globl data
data:
.ascii "S-one"
.ascii FROM_ASM_HEADER
.include "table.inc"
.incbin "blob.bin"
""",
    "data.h": '#define FROM_ASM_HEADER "asm-header-one"\n',
    "inc/table.inc": '.ascii "include-one"\n',
    "blob.bin": "incbin-one",
    "read.h": "read-one\n",
}
# What the sizes of a build are read from, as core/memory_use.h of viperhttp has it.
MODULE_FILES["memory_use.c"] = """\
const struct {
    char name[16];
    unsigned numbers[3];
} memory_use = {"VHTTP_MEMORY_USE", {0}};
"""
LINKED_FILES = {
    "micropython.mk": "SRC_USERMOD_LIB_C += $(USERMOD_DIR)/linked.c\n",
    "linked.c": '#include "linked.h"\nconst char linked[] = "linked-c-one" FROM_LINKED;\n',
    "linked.h": '#define FROM_LINKED "linked-header-one"\n',
}
MANIFEST = """\
package("kinds", base_path="../../firmware/python", opt=0)
"""


def of(path: str, steps: str, old: str = "one", new: str = "two") -> Kind:
    return Kind(path, old, new, steps)


# What MicroPython's unix port is made of.
UNIX_KINDS = {
    "C": of(f"{KINDS_MODULE}/kinds.c", "MAKE", "c-one", "c-two"),
    "header": of(f"{KINDS_MODULE}/kinds.h", "MAKE"),
    "found by -I": of(f"{KINDS_MODULE}/inc/text.inc", "MAKE"),
    "C++": of(f"{KINDS_MODULE}/plus.cpp", "MAKE"),
    "assembler": of(f"{KINDS_MODULE}/data.S", "MAKE"),
    "included by assembler": of(f"{KINDS_MODULE}/data.h", "MAKE"),
    ".include": of(f"{KINDS_MODULE}/inc/table.inc", "MAKE"),
    ".incbin": of(f"{KINDS_MODULE}/blob.bin", "MAKE"),
    ".incbin in C": of(f"{KINDS_MODULE}/read.h", "MAKE"),
    "makefile": of(f"{KINDS_MODULE}/micropython.mk", "MAKE"),
    "included makefile": of(f"{KINDS_MODULE}/more.mk", "MAKE"),
    "linked folder": of(f"{MODULES}/linked/linked.c", "MAKE", "c-one", "c-two"),
    "header in it": of(f"{MODULES}/linked/linked.h", "MAKE"),
    "frozen": of(f"{PYTHON}/kinds/frozen.py", "MAKE"),
    "manifest": of(f"{BOARDS}/{UNIX}/manifest.py", "MAKE", "opt=0", "opt=3"),
    "variant's makefile": of(f"{BOARDS}/{UNIX}/mpconfigvariant.mk", "MAKE", "-one", "-two"),
    "variant's header": of(f"{BOARDS}/{UNIX}/mpconfigvariant.h", "MAKE", "-one", "-two"),
    "what boards share": of(f"{BOARDS}/shared/shared.h", "MAKE"),
    "setting": of(f"{BOARDS}/{UNIX}/board.toml", "MAKE", "S = 1024", "S = 1023"),
    "MicroPython": of(f"{MICROPYTHON[UNIX]}/py/mpstate.c", "OWN MAKE", "-one", "-two"),
    "its submodule": of(f"{MICROPYTHON[UNIX]}/lib/sub/sub.h", "OWN MAKE"),
}
# What its esp32 port is made of.
ESP32_KINDS = {
    "C": of(f"{MODULES}/viperhttp/core/ring.c", "NINJA", "ring", "gnir"),
    "header": of(f"{MODULES}/viperhttp/core/ring.h", "NINJA", "ring", "gnir"),
    "micropython.cmake": of(f"{MODULES}/viperhttp/micropython.cmake", "CONFIG NINJA", "-O2", "-O3"),
    "mpconfigboard.cmake": of(
        f"{BOARDS}/{ESP32}/mpconfigboard.cmake", "CONFIG NINJA", "config.more", "config.else"
    ),
    "mpconfigboard.h": of(f"{BOARDS}/{ESP32}/mpconfigboard.h", "NINJA", "ESP32", "ESP23"),
    "fragment": of(f"{BOARDS}/{ESP32}/sdkconfig.board", "CONFIG NINJA", "SOCKETS=28", "SOCKETS=27"),
    "fragment elsewhere": of("elsewhere/sdkconfig.more", "CONFIG NINJA", "=101", "=102"),
    "fragment by its absolute path": of("elsewhere/sdkconfig.far", "CONFIG NINJA", "000", "001"),
    "cmake that boards share": of(f"{BOARDS}/esp32_common.cmake", "CONFIG NINJA", "-one", "-two"),
    "partitions": of(f"{BOARDS}/partitions-16MiBplus.csv", "NINJA", "_init,", "_data,"),
    "frozen": of(f"{PYTHON}/which_one.py", "NINJA"),
    "manifest": of(f"{BOARDS}/{ESP32}/manifest.py", "CONFIG NINJA", "which_one", "which_two"),
    "MicroPython": of(
        f"{MICROPYTHON[ESP32]}/py/mpconfig.h", "OWN COPY CONFIG NINJA", "-one", "-two"
    ),
}  # fmt: skip
# What the device's files are made of.
FILES_KINDS = {
    "asset": of("assets/www/app.js", "ASSETS GZIP FILES VFS", "fetch", "fecth"),
    "asset in a linked folder": of("assets/www/linked/a.css", "ASSETS GZIP FILES VFS"),
    "asset that is not compressed": of("assets/www/a.png", "ASSETS FILES VFS"),
    "page": of("firmware/app/templates/page.html", "TEMPLATE FILES VFS"),
    "part of pages": of("firmware/app/templates/_part.html", "TEMPLATE FILES VFS"),
    "application": of("firmware/app/data.json", "FILES VFS"),
    "program": of("firmware/app/one.py", "FILES VFS"),
    "partitions": of(f"{BOARDS}/partitions-16MiBplus.csv", "TABLE VFS", "vfs,", "VFS,"),
    "compression": of(f"{BOARDS}/{UNIX}/board.toml", "ASSETS GZIP FILES VFS", "l = 6", "l = 1"),
    "what is ignored": of(".viperignore", "ASSETS FILES VFS", "*.one", "*.png"),
}  # fmt: skip


def every_input(folder: Path, standing: Path) -> Esp32Project:
    """Make such a project. Its path must have no space: ESP-IDF takes none.

    Its virtual board is built by the real compiler, with few objects of MicroPython's unix port and
    none of the module viperhttp, and its real board by ESP-IDF's double.

    Args:
        folder: where it is, and beside it the double.
        standing: a MicroPython source tree of any version that the project is built with.
    """
    esp32 = folder / "project" / MICROPYTHON[ESP32]
    project = Esp32Project(folder / "project", IdfDouble(folder), esp32)
    copy_sources(project.folder)
    _add_modules(project)
    _add_to_boards(project)
    _add_files(project)
    _append(micropython_tree(standing, esp32) / "py/mpconfig.h", "// mp-one\n")
    tree = small_micropython(standing, project.path(MICROPYTHON[UNIX]))
    sub = 'static const char of_sub[] __attribute__((used)) = "one";\n'
    _write(tree / "lib/sub", {"sub.h": sub})
    _append(
        tree / "py/mpstate.c",
        '#include "lib/sub/sub.h"\nconst char of_mp[] = "mp-one";\n'
        "const char of_variant[] = VARIANT_MK;\n",
    )
    return project


def _add_modules(project: Esp32Project) -> None:
    """A module of all that there is, one that is a link, and Python that is frozen."""
    shutil.rmtree(project.path(f"{MODULES}/virtual_chip"))
    project.path(f"{MODULES}/viperhttp/micropython.mk").unlink()
    _write(project.path(KINDS_MODULE), MODULE_FILES)
    _write(project.path("linked"), LINKED_FILES)
    project.path(f"{MODULES}/linked").symlink_to("../../linked")
    _write(
        project.path(PYTHON),
        {
            "kinds/frozen.py": "frozen = 'one'\n",
            "which_one.py": "which = 'one'\n",
            "which_two.py": "which = 'two'\n",
        },
    )


def _add_to_boards(project: Esp32Project) -> None:
    unix, esp32 = (project.path(f"{BOARDS}/{name}") for name in (UNIX, ESP32))
    _write(unix, {"manifest.py": MANIFEST})
    _write(project.path(f"{BOARDS}/shared"), {"shared.h": '#define FROM_SHARED "shared-one"\n'})
    _append(
        unix / "mpconfigvariant.h",
        '#include "../shared/shared.h"\n#define FROM_VARIANT "variant-one"\n',
    )
    _append(
        unix / "mpconfigvariant.mk",
        'CFLAGS_EXTRA += -include mpconfigvariant.h -DVARIANT_MK=\\"variant-one\\"\n',
    )
    elsewhere = project.path("elsewhere")
    _write(
        elsewhere,
        {
            "sdkconfig.more": "CONFIG_FREERTOS_HZ=101\n",
            "sdkconfig.else": "CONFIG_FREERTOS_HZ=103\n",
            "sdkconfig.far": "CONFIG_SPIRAM_MALLOC_ALWAYSINTERNAL=8000\n",
        },
    )
    cmake, own = esp32 / "mpconfigboard.cmake", "${MICROPY_BOARD_DIR}/sdkconfig.board"
    named = f"set(MORE ${{MICROPY_BOARD_DIR}}/../../elsewhere)\n{cmake.read_text()}"
    assert own in named
    far = elsewhere / "sdkconfig.far"
    cmake.write_text(named.replace(own, f"${{MORE}}/sdkconfig.more\n    {far}\n    {own}"))
    _append(project.path(f"{BOARDS}/esp32_common.cmake"), "# common-one\n")
    _append(esp32 / "manifest.py", 'module("which_one.py", base_path="../../firmware/python")\n')


def _add_files(project: Esp32Project) -> None:
    """Assets, an application, and what is ignored of them."""
    _write(project.path("style"), {"a.css": "/* one */\n" * 200})
    project.path("assets/www/linked").symlink_to("../../style")
    _write(project.path("assets/www"), {"a.png": "one", "a.one": "one", "b.one": "one"})
    _write(project.path("firmware/app"), {"data.json": '"one"', "one.py": "one = 1\n"})
    page = '<p>one</p>{% include "_part.html" %}'
    _write(project.path("firmware/app/templates"), {"page.html": page, "_part.html": "one"})
    _write(project.folder, {".viperignore": "*.one\n"})


def _write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _append(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text() + text)
