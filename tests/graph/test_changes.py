# SPDX-License-Identifier: MIT
"""Each kind of input, changed in each way: its steps run if its content is another, and only then;
and what comes of it is, byte for byte, what a build from nothing makes of the same files.

A thin part of the product is in the suite.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import changes
import pytest
from changes import WAYS, Built, Kind, Way
from idf_double import Esp32Project, IdfDouble, micropython_tree
from project import Project, copy_sources
from small_port import small_micropython

MODULES, PYTHON, BOARDS = "firmware/cmodules", "firmware/python", "boards"
KINDS_MODULE = f"{MODULES}/kinds"
UNIX, ESP32 = "VIRTUAL_N16R8", "ESP32S3_N16R8"

# A module with a file of each kind that a compiler, an assembler or make reads.
MODULE_FILES = {
    "micropython.mk": """\
KINDS_DIR := $(USERMOD_DIR)
-include $(KINDS_DIR)/more.mk
SRC_USERMOD_C += $(KINDS_DIR)/kinds.c
SRC_USERMOD_LIB_CXX += $(KINDS_DIR)/plus.cpp
SRC_USERMOD_LIB_ASM += $(KINDS_DIR)/data.S
CFLAGS_USERMOD += -I$(KINDS_DIR) -I$(KINDS_DIR)/inc -I$(VHTTP_GENERATED) -DFROM_MK=\\"mk-one\\"
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
    "C": of(f"{KINDS_MODULE}/kinds.c", "MAKE APP", "c-one", "c-two"),
    "header": of(f"{KINDS_MODULE}/kinds.h", "MAKE APP"),
    "found by -I": of(f"{KINDS_MODULE}/inc/text.inc", "MAKE APP"),
    "C++": of(f"{KINDS_MODULE}/plus.cpp", "MAKE APP"),
    "assembler": of(f"{KINDS_MODULE}/data.S", "MAKE APP"),
    "included by assembler": of(f"{KINDS_MODULE}/data.h", "MAKE APP"),
    ".include": of(f"{KINDS_MODULE}/inc/table.inc", "MAKE APP"),
    ".incbin": of(f"{KINDS_MODULE}/blob.bin", "MAKE APP"),
    ".incbin in C": of(f"{KINDS_MODULE}/read.h", "MAKE APP"),
    "makefile": of(f"{KINDS_MODULE}/micropython.mk", "MAKE APP"),
    "included makefile": of(f"{KINDS_MODULE}/more.mk", "MAKE APP"),
    "linked folder": of(f"{MODULES}/linked/linked.c", "MAKE APP", "c-one", "c-two"),
    "header in it": of(f"{MODULES}/linked/linked.h", "MAKE APP"),
    "frozen": of(f"{PYTHON}/kinds/frozen.py", "MAKE APP"),
    "manifest": of(f"{BOARDS}/{UNIX}/manifest.py", "MAKE APP", "opt=0", "opt=3"),
    "variant's makefile": of(f"{BOARDS}/{UNIX}/mpconfigvariant.mk", "MAKE APP", "-one", "-two"),
    "variant's header": of(f"{BOARDS}/{UNIX}/mpconfigvariant.h", "MAKE APP", "-one", "-two"),
    "what boards share": of(f"{BOARDS}/shared/shared.h", "MAKE APP"),
    "setting": of(f"{BOARDS}/{UNIX}/board.toml", "MAKE APP", "S = 1024", "S = 1023"),
    "MicroPython": of("mp/py/mpstate.c", "OWN MAKE APP", "-one", "-two"),
    "its submodule": of("mp/lib/sub/sub.h", "OWN MAKE APP"),
}
# What its esp32 port is made of.
ESP32_KINDS = {
    "C": of(f"{MODULES}/viperhttp/core/ring.c", "NINJA", "ring", "gnir"),
    "header": of(f"{MODULES}/viperhttp/core/ring.h", "NINJA", "ring", "gnir"),
    "micropython.cmake": of(f"{MODULES}/viperhttp/micropython.cmake", "CONFIG NINJA", "-O2", "-O3"),
    "mpconfigboard.cmake": of(
        f"{BOARDS}/{ESP32}/mpconfigboard.cmake", "CONFIG NINJA", "240mhz", "240MHZ"
    ),
    "mpconfigboard.h": of(f"{BOARDS}/{ESP32}/mpconfigboard.h", "NINJA", "ESP32", "ESP23"),
    "fragment": of(f"{BOARDS}/{ESP32}/sdkconfig.board", "CONFIG NINJA", "SOCKETS=28", "SOCKETS=27"),
    "fragment elsewhere": of("elsewhere/sdkconfig.more", "CONFIG NINJA", "=101", "=102"),
    "fragment by its absolute path": of("elsewhere/sdkconfig.far", "CONFIG NINJA", "000", "001"),
    "cmake that boards share": of(f"{BOARDS}/esp32_common.cmake", "CONFIG NINJA", "-one", "-two"),
    "partitions": of(f"{BOARDS}/partitions-16MiBplus.csv", "CONFIG NINJA", "_init,", "_data,"),
    "frozen": of(f"{PYTHON}/viperhttp/errors.py", "NINJA", "Error", "rorrE"),
    "manifest": of(f"{BOARDS}/{ESP32}/manifest.py", "CONFIG NINJA", "sync_switch", "switch_sync"),
    "MicroPython": of("mp/py/mpconfig.h", "OWN COPY CONFIG NINJA", "-one", "-two"),
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
    "compression": of(f"{BOARDS}/{UNIX}/board.toml", "ASSETS GZIP FILES VFS", " 6", " 1"),
    "what is ignored": of(".viperignore", "ASSETS FILES VFS", "*.one", "*.png"),
}  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changes")


@pytest.fixture(scope="session")
def unix(folder: Path, built: Path) -> Built:
    """A virtual board's firmware, of modules that have all there is, and of little else."""
    project = Project(folder / "unix")
    copy_sources(project.folder)
    shutil.rmtree(project.path(f"{MODULES}/virtual_chip"))
    listed = project.path(f"{MODULES}/viperhttp/settings.toml").read_bytes()
    shutil.rmtree(project.path(f"{MODULES}/viperhttp"))
    shutil.rmtree(project.path(PYTHON))
    write(project.path(f"{MODULES}/viperhttp"), {"settings.toml": listed.decode()})
    write(project.path(KINDS_MODULE), MODULE_FILES)
    write(project.path("linked"), LINKED_FILES)
    project.path(f"{MODULES}/linked").symlink_to("../../linked")
    write(project.path(f"{PYTHON}/kinds"), {"frozen.py": "frozen = 'one'\n"})
    write(project.path(f"{BOARDS}/{UNIX}"), {"manifest.py": MANIFEST})
    write(project.path(f"{BOARDS}/shared"), {"shared.h": '#define FROM_SHARED "shared-one"\n'})
    append(
        project.path(f"{BOARDS}/{UNIX}/mpconfigvariant.h"),
        '#include "../shared/shared.h"\n#define FROM_VARIANT "variant-one"\n',
    )
    append(
        project.path(f"{BOARDS}/{UNIX}/mpconfigvariant.mk"),
        'CFLAGS_EXTRA += -include mpconfigvariant.h -DVARIANT_MK=\\"variant-one\\"\n',
    )
    tree = small_micropython(built / "build/micropython", project.path("mp"))
    write(
        tree / "lib/sub", {"sub.h": 'static const char of_sub[] __attribute__((used)) = "one";\n'}
    )
    append(
        tree / "py/mpstate.c",
        '#include "lib/sub/sub.h"\nconst char of_mp[] = "mp-one";\n'
        "const char of_variant[] = VARIANT_MK;\n",
    )
    return of_project(
        project,
        ("MICROPYTHON=mp",),
        UNIX,
        targets=("app.bin",),
        compared=("app.bin", "firmware.json", "firmware/**/*.o"),
        sources=("boards", "firmware", "linked", "mp"),
    )


@pytest.fixture(scope="session")
def esp32(folder: Path, built: Path) -> Built:
    """A real board's firmware, by ESP-IDF's double."""
    tree = folder / "esp32/mp"
    project = Esp32Project(folder / "esp32", IdfDouble(folder), tree)
    copy_sources(project.folder)
    micropython_tree(built / "build/micropython", tree)
    append(tree / "py/mpconfig.h", "// mp-one\n")
    write(
        project.path("elsewhere"),
        {
            "sdkconfig.more": "CONFIG_FREERTOS_HZ=101\n",
            "sdkconfig.far": "CONFIG_SPIRAM_MALLOC_ALWAYSINTERNAL=8000\n",
        },
    )
    board = project.path(f"{BOARDS}/{ESP32}/mpconfigboard.cmake")
    far = project.path("elsewhere/sdkconfig.far")
    named = f"set(MORE ${{MICROPY_BOARD_DIR}}/../../elsewhere)\n{board.read_text()}"
    own = "${MICROPY_BOARD_DIR}/sdkconfig.board"
    assert own in named
    board.write_text(named.replace(own, f"${{MORE}}/sdkconfig.more\n    {far}\n    {own}"))
    append(project.path(f"{BOARDS}/esp32_common.cmake"), "# common-one\n")
    return of_project(
        project,
        (f"BOARD={ESP32}", "MICROPYTHON=mp"),
        ESP32,
        targets=("app.bin",),
        compared=("app.bin", "bootloader.bin", "firmware.json"),
        sources=("boards", "firmware", "elsewhere", "mp"),
    )


@pytest.fixture(scope="session")
def files(folder: Path) -> Built:
    """What is on a virtual board's file system."""
    project = Project(folder / "files")
    copy_sources(project.folder)
    write(project.path("linked"), {"a.css": "/* one */\n" * 200})
    project.path("assets/www/linked").symlink_to("../../linked")
    write(project.path("assets/www"), {"a.png": "one", "a.one": "one", "b.one": "one"})
    write(project.path("firmware/app"), {"data.json": '"one"', "one.py": "one = 1\n"})
    page = '<p>one</p>{% include "_part.html" %}'
    write(project.path("firmware/app/templates"), {"page.html": page, "_part.html": "one"})
    write(project.folder, {".viperignore": "*.one\n"})
    return of_project(
        project,
        (),
        UNIX,
        targets=("vfs.img", "partition-table.bin"),
        compared=("*.bin", "*.img", "files.json", "www.json", "www/**/*.gz", "templates/*"),
        sources=("assets", "boards", "firmware", "linked", ".viperignore"),
    )


def of_project(
    project: Project,
    options: tuple[str, ...],
    board: str,
    *,
    targets: tuple[str, ...],
    compared: tuple[str, ...],
    sources: tuple[str, ...],
) -> Built:
    """A project that has been built once."""
    made = Built(project, options, f"build/{board}", targets, compared, sources)
    _, result = made.run()
    assert not result.error, result.error
    return made


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def append(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text() + text)


def product(kinds: dict[str, Kind]) -> pytest.MarkDecorator:
    """Every kind with every way."""
    cases = [
        pytest.param(kind, way, id=f"{name}-{way.__name__}")
        for name, kind in kinds.items()
        for way in WAYS
    ]
    return pytest.mark.parametrize(("kind", "way"), cases)


def check(built: Built, kind: Kind, way: Way) -> None:
    tags = kind.steps.split()
    before = built.state()
    with built.put_back(kind.path):
        for _ in way(kind.changing(built)):
            run, result = built.run()
            assert result == built.from_nothing()
            ran = [step.split()[0] for step in run.steps]
            if result.error:
                before = ""  # what an error left is made anew
            elif built.state() == before:
                assert not ran or way is changes.changed_while_it_is_built
            else:
                assert tags[0] in ran or not before, run.output
                assert set(ran) <= set(tags), run.output
                before = built.state()


# The part that is in the suite: each way, and the kinds that differ most.
THIN: dict[str, list[tuple[Kind, Way]]] = {
    "unix": [
        (UNIX_KINDS[".include"], changes.of_the_same_time),
        (UNIX_KINDS["linked folder"], changes.changed_while_it_is_built),
    ],
    "esp32": [(ESP32_KINDS["fragment elsewhere"], changes.of_the_same_size)],
    "files": [
        (FILES_KINDS["asset"], changes.of_the_same_time),
        (FILES_KINDS["asset in a linked folder"], changes.edited),
        (FILES_KINDS["page"], changes.renamed_by_case),
        (FILES_KINDS["part of pages"], changes.replaced_by_a_link),
        (FILES_KINDS["application"], changes.removed_and_added),
        (FILES_KINDS["compression"], changes.replaced_by_a_folder),
        (FILES_KINDS["what is ignored"], changes.restored),
    ],
}


@pytest.mark.parametrize("name", THIN)
def test_a_thin_part(request: pytest.FixtureRequest, name: str) -> None:
    built: Built = request.getfixturevalue(name)
    for kind, way in THIN[name]:
        check(built, kind, way)


@pytest.mark.long
@product(UNIX_KINDS)
def test_firmware_of_a_virtual_board(unix: Built, kind: Kind, way: Way) -> None:
    check(unix, kind, way)


@pytest.mark.long
@product(ESP32_KINDS)
def test_firmware_of_a_real_board(esp32: Built, kind: Kind, way: Way) -> None:
    check(esp32, kind, way)


@pytest.mark.long
@product(FILES_KINDS)
def test_files_of_a_device(files: Built, kind: Kind, way: Way) -> None:
    check(files, kind, way)
