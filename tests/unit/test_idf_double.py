# SPDX-License-Identifier: MIT
"""ESP-IDF's double refuses what ESP-IDF refuses, in its words, and forgets what ESP-IDF forgets.

What is asserted here was recorded with ESP-IDF v5.5.1 and MicroPython v1.27.0.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from idf_double import IdfDouble, micropython_tree
from project import ROOT
from viper.source import esp_idf
from viper.source.esp_idf import Environment, Installation

_TABLE = "nvs, data, nvs, 0x9000, 16K\nfactory, app, factory, 0x10000, 1M\n"
_MODULE = """\
add_library(usermod_hello INTERFACE)
target_sources(usermod_hello INTERFACE ${CMAKE_CURRENT_LIST_DIR}/hello.c)
target_link_libraries(usermod INTERFACE usermod_hello)
"""


class Bench:
    """A board, a module and a MicroPython tree beside an installed ESP-IDF."""

    def __init__(self, folder: Path, idf: IdfDouble, environment: Environment) -> None:
        self.folder = folder
        self.idf = idf
        self.port = micropython_tree(ROOT / "build/micropython", folder / "mp") / "ports/esp32"
        self.build = folder / "out"
        self.environment = environment.whole()
        self.write("board/mpconfigboard.cmake", "set(IDF_TARGET esp32s3)\n")
        self.append(
            "board/mpconfigboard.cmake",
            "set(SDKCONFIG_DEFAULTS boards/sdkconfig.base ${MICROPY_BOARD_DIR}/sdkconfig.board)\n",
        )
        self.write("board/sdkconfig.board", "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y\n")
        self.append(
            "board/sdkconfig.board",
            f'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{folder}/table.csv"\n',
        )
        self.write("board/mpconfigboard.h", "#define BOARD 1\n")
        self.write("board/manifest.py", 'freeze("../frozen")\n')
        self.write("frozen/one.py", "first = 1\n")
        self.write("table.csv", _TABLE)
        self.write("cmodules/hello/micropython.cmake", _MODULE)
        self.write("cmodules/hello/hello.c", "MP_REGISTER_MODULE(MP_QSTR_hello, hello_module);\n")
        self.append("cmodules/hello/hello.c", "const mp_obj_module_t hello_module = {0};\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def run(
        self, *command: str, status: int = 0, cwd: Path | None = None, **environment: str
    ) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.port,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def idf_py(
        self, *more: str, status: int = 0, cwd: Path | None = None, **environment: str
    ) -> str:
        defined = [
            "MICROPY_BOARD=TEST",
            f"MICROPY_BOARD_DIR={self.folder}/board",
            f"USER_C_MODULES={self.folder}/cmodules/hello/micropython.cmake",
            f"MICROPY_FROZEN_MANIFEST={self.folder}/board/manifest.py",
        ]
        words = [word for entry in defined for word in ("-D", entry)]
        return self.run(
            "idf.py", "-B", str(self.build), *words, *more, status=status, cwd=cwd, **environment
        )

    def ninja(self, status: int = 0) -> str:
        return self.run("ninja", "-C", str(self.build), status=status)

    def sdkconfig(self) -> str:
        return (self.build / "sdkconfig").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[IdfDouble, Environment]:
    idf = IdfDouble(tmp_path_factory.mktemp("idf"))
    environment = esp_idf.take_environment(Installation(idf.folder, "v5.5.1", idf.tools))
    return idf, environment


@pytest.fixture
def bench(tmp_path: Path, installed: tuple[IdfDouble, Environment]) -> Bench:
    return Bench(tmp_path, *installed)


def _no_board(bench: Bench) -> str:
    return bench.idf_py("-D", f"MICROPY_BOARD_DIR={bench.folder}/none", "build", status=2)


def _no_module(bench: Bench) -> str:
    return bench.idf_py("-D", f"USER_C_MODULES={bench.folder}/none.cmake", "build", status=2)


def _no_table(bench: Bench) -> str:
    (bench.folder / "table.csv").unlink()
    return bench.idf_py("build", status=2)


def _another_folder(bench: Bench) -> str:
    return bench.idf_py("build", status=2, cwd=bench.folder)


def _no_submodules(bench: Bench) -> str:
    shutil.rmtree(bench.port.parents[1] / "lib")
    return bench.idf_py("build", status=2)


def _no_component_manager(bench: Bench) -> str:
    return bench.idf_py("build", status=2, IDF_COMPONENT_MANAGER="0")


def _unknown_option(bench: Bench) -> str:
    return bench.idf_py("--boards", "build", status=2)


def _unknown_chip(bench: Bench) -> str:
    bench.write("board/mpconfigboard.cmake", "set(IDF_TARGET esp99)\n")
    return bench.idf_py("build", status=2)


def _no_fragment(bench: Bench) -> str:
    (bench.folder / "board/sdkconfig.board").unlink()
    return bench.idf_py("build", status=2)


def _build_in_the_project(bench: Bench) -> str:
    bench.build = bench.port
    return bench.idf_py("build", status=2)


def _two_programs(bench: Bench) -> str:
    bench.append("cmodules/hello/hello.c", "#error no\n")
    return bench.idf_py("build", status=2)


def _full_slot(bench: Bench) -> str:
    bench.write("frozen/one.py", "# " + "x" * (1 << 20))
    return bench.idf_py("build", status=2)


def _no_network(bench: Bench) -> str:
    marker = bench.idf.folder / "no-network"
    marker.touch()
    try:
        return bench.idf_py("build", status=2)
    finally:
        marker.unlink()


@pytest.mark.parametrize(
    ("wrongly", "message"),
    [
        (_no_board, "Invalid MICROPY_BOARD specified: TEST"),
        (_no_module, "USER_C_MODULES doesn't exist: "),
        (_no_table, "needed by 'partition_table/partition-table.bin', missing and no known rule"),
        (_another_folder, "CMakeLists.txt not found in project directory"),
        (_no_submodules, "Run 'make BOARD=TEST submodules'"),
        (_no_component_manager, "Failed to resolve component"),
        (_unknown_option, "No such option: --boards"),
        (_unknown_chip, "toolchain-esp99.cmake not found"),
        (_no_fragment, "failed to open for reading"),
        (_build_in_the_project, "build directory to the project directory is not supported"),
        (_two_programs, "hello.c:3:2: error: #error no"),
        (_full_slot, "partitions are too small for binary micropython.bin size"),
        (_no_network, "Cannot establish a connection to the component registry"),
    ],
)
def test_what_is_called_wrongly_is_refused(
    bench: Bench, wrongly: Callable[[Bench], str], message: str
) -> None:
    assert message in " ".join(wrongly(bench).split())  # cmake breaks lines


def test_a_chip_without_its_tools_is_refused(tmp_path: Path) -> None:
    idf = IdfDouble(tmp_path, chips="esp32c3")
    environment = esp_idf.take_environment(Installation(idf.folder, "v5.5.1", idf.tools))
    bench = Bench(tmp_path / "bench", idf, environment)
    told = " ".join(bench.idf_py("build", status=2).split())
    assert "is not a full path and was not found in the PATH" in told


def test_what_is_made_has_the_real_names(bench: Bench) -> None:
    bench.idf_py("build")
    for name in (
        "bootloader/bootloader.bin", "partition_table/partition-table.bin", "micropython.bin",
        "micropython.elf", "micropython.map", "ota_data_initial.bin", "sdkconfig",
        "sdkconfig.combined", "project_description.json", "compile_commands.json",
    ):  # fmt: skip
        assert (bench.build / name).is_file(), name
    flasher_args = json.loads((bench.build / "flasher_args.json").read_text())
    assert flasher_args["flash_files"] == {
        "0x0": "bootloader/bootloader.bin",
        "0x10000": "micropython.bin",
        "0x8000": "partition_table/partition-table.bin",
        "0xd000": "ota_data_initial.bin",
    }
    assert flasher_args["flash_settings"] == {
        "flash_mode": "dio",
        "flash_size": "16MB",
        "flash_freq": "80m",
    }
    assert "ninja: no work to do." in bench.ninja()


@pytest.mark.long
def test_fragments_are_merged_by_the_rules_of_kconfig(bench: Bench) -> None:
    bench.write(
        "board/sdkconfig.board",
        "CONFIG_SPIRAM_MODE_OCT=y\nCONFIG_LWIP_MAX_SOCKETS=999\nCONFIG_MISSPELT=y\n",
    )
    told = bench.idf_py("reconfigure")
    assert "MISSPELT" in told  # as an unknown symbol
    assert "CONFIG_SPIRAM_MODE_OCT" not in bench.sdkconfig()  # CONFIG_SPIRAM is off
    assert "CONFIG_LWIP_MAX_SOCKETS=999\n" not in bench.sdkconfig()  # 253 is the most


@pytest.mark.long
def test_an_existing_sdkconfig_wins_over_a_changed_fragment(bench: Bench) -> None:
    bench.idf_py("reconfigure")
    bench.append("board/sdkconfig.board", "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\n")
    bench.idf_py("reconfigure")
    assert "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y" in bench.sdkconfig()


@pytest.mark.long
def test_definitions_stick_and_are_lost_when_configuring_fails(bench: Bench) -> None:
    bench.idf_py("reconfigure")
    plain = ("idf.py", "-B", str(bench.build), "reconfigure")
    bench.run(*plain)
    assert "MICROPY_BOARD:UNINITIALIZED=TEST" in (bench.build / "CMakeCache.txt").read_text()
    bench.idf_py("-D", "MICROPY_BOARD_DIR=/none", "reconfigure", status=2)
    bench.run(*plain)
    assert "MICROPY_BOARD:" not in (bench.build / "CMakeCache.txt").read_text()


@pytest.mark.long
def test_a_module_that_is_gone_leaves_its_header(bench: Bench) -> None:
    bench.idf_py("build")
    bench.write("cmodules/hello/hello.c", "// no module any more\n")
    assert "undefined reference to `hello_module'" in bench.ninja(status=1)


@pytest.mark.long
def test_a_frozen_module_that_is_gone_stays(bench: Bench) -> None:
    bench.write("frozen/two.py", "second = 2\n")
    bench.idf_py("build")
    (bench.folder / "frozen/two.py").unlink()
    bench.ninja()
    assert "second = 2" in (bench.build / "frozen_content.c").read_text()


@pytest.mark.long
def test_the_lock_file_in_the_tree_is_rewritten(bench: Bench) -> None:
    lock = bench.port / "lockfiles/dependencies.lock.esp32s3"
    lock.parent.mkdir(exist_ok=True)  # MicroPython 1.25 has none
    lock.write_text("as it came\n")
    bench.idf_py("reconfigure")
    assert lock.read_text() != "as it came\n"


@pytest.mark.long
def test_sources_of_an_interface_library_are_linked_unoptimised(bench: Bench) -> None:
    bench.idf_py("build")
    linked = (bench.build / "micropython.map").read_text()
    assert "CMakeFiles/micropython.elf.dir" in linked
