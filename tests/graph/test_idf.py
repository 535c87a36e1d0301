# SPDX-License-Identifier: MIT
"""A real board's firmware, built by ESP-IDF's double: what runs when, and what is refused.

The double, in tests/doubles/idf, forgets and keeps what ESP-IDF does; none of that may be seen.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import switches
from idf_double import Esp32Project, IdfDouble, micropython_tree
from project import copy_sources, restore
from switches import Switch
from viper.image import partition_table

BOARD = "boards/ESP32S3_N16R8"
MODULE = "firmware/cmodules/viperhttp"
STEPS = {"CONFIG ESP32S3_N16R8", "NINJA app.bin"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Esp32Project:
    """A board's image that has been built once. The path has no space: ESP-IDF takes none."""
    folder = tmp_path_factory.mktemp("esp32")
    idf = IdfDouble(folder)
    tree = micropython_tree(built / "build/micropython", folder / "micropython")
    copy_sources(folder / "project")
    made = Esp32Project(folder / "project", idf, tree)
    made.image()
    return made


@pytest.fixture
def project(made: Esp32Project) -> Iterator[Esp32Project]:
    """The same project, as it was, and with no record of what was started."""
    kept = made.folder.with_name("kept")
    if not kept.exists():
        shutil.copytree(made.folder.parent, kept, ignore=shutil.ignore_patterns("kept"))
    made.idf.forget_calls()
    yield made
    for name in ("project", "esp-idf", "micropython", "espressif"):
        restore(made.folder.parent / name, kept / name)


def tools(project: Esp32Project) -> list[str]:
    return [call["tool"] for call in project.idf.calls()]


def test_an_image_is_made_that_esptool_accepts(made: Esp32Project) -> None:
    for name in ("app.bin", "bootloader.bin"):
        shown = subprocess.run(
            [sys.executable, "-m", "esptool", "image-info", made.output(name)],
            capture_output=True,
            text=True,
        )
        assert shown.returncode == 0, shown.stdout
        assert "Detected image type: ESP32-S3" in shown.stdout
        assert "Validation hash:" in shown.stdout and "(valid)" in shown.stdout
        assert "Flash mode: DIO" in shown.stdout and "Flash size: 16MB" in shown.stdout
    flash = json.loads(made.output("flash.json").read_text())
    assert {part["name"]: part["offset"] for part in flash["parts"]} == {
        "bootloader": 0,
        "partition-table": partition_table.TABLE_OFFSET,
        "otadata": 0xD000,
        "factory": 0x10000,
        "vfs": 0x610000,
    }


def test_idf_py_is_told_everything_on_its_command_line(made: Esp32Project) -> None:
    called = made.idf.calls("idf.py")[0]
    assert called["folder"] == str(made.output("micropython/ports/esp32"))
    words = called["arguments"]
    stage = made.output("stage")
    assert words[:2] == ["-B", str(made.output("firmware"))]
    assert set(words[3::2]) >= {
        "MICROPY_BOARD=ESP32S3_N16R8",
        f"MICROPY_BOARD_DIR={stage / BOARD}",
        f"USER_C_MODULES={stage / MODULE}/micropython.cmake",
        f"MICROPY_FROZEN_MANIFEST={stage / BOARD}/manifest.py",
    }
    assert set(called["environment"]) <= {
        "PATH", "HOME", "TMPDIR", "LC_ALL", "TZ", "PWD", "IDF_PATH", "IDF_TOOLS_PATH",
        "IDF_PYTHON_ENV_PATH", "ESP_IDF_VERSION", "ESP_ROM_ELF_DIR", "IDF_CCACHE_ENABLE",
        "CCACHE_BASEDIR", "CCACHE_NOHASHDIR", "CCACHE_COMPILERCHECK", "SOURCE_DATE_EPOCH",
        "MICROPY_MPYCROSS", "MICROPY_GIT_TAG", "MICROPY_GIT_HASH", "PYTHONPATH", "SHLVL", "_",
    }  # fmt: skip


def test_with_nothing_changed_nothing_is_started(project: Esp32Project) -> None:
    run = project.image()
    assert not run.steps and not tools(project)
    assert not project.app(CFLAGS="-O0", IDF_TARGET="esp32c3").steps and not tools(project)


def test_check_finds_what_a_build_from_nothing_makes(project: Esp32Project) -> None:
    """With what ESP-IDF's build has beside that of a virtual board: a fragment anywhere."""
    project.path("elsewhere").mkdir()
    project.path("elsewhere/sdkconfig.more").write_text("CONFIG_FREERTOS_HZ=101\n")
    own = "${MICROPY_BOARD_DIR}/sdkconfig.board"
    more = f"${{MICROPY_BOARD_DIR}}/../../elsewhere/sdkconfig.more {own}"
    project.edit(f"{BOARD}/mpconfigboard.cmake", own, more)
    output = project.check().output
    assert re.search(r"^CHECK .* are as made from nothing$", output, re.MULTILINE), output


@switches.each(in_suite="VHTTP_STATIC_SERVE_VIA_IPC")
def test_a_setting_is_switched_off_and_back(project: Esp32Project, switch: Switch) -> None:
    before, board = project.output("app.bin").read_bytes(), project.path(f"{BOARD}/board.toml")
    text = board.read_text()
    board.write_text(switch.turned(text, is_chip=True))
    project.app()
    header = project.output("generated/vhttp_config.h").read_text()
    assert f"\n#define {switch.name} {switch.off}\n" in header
    assert project.output("app.bin").read_bytes() != before
    board.write_text(text)
    project.app()
    assert project.output("app.bin").read_bytes() == before


def test_a_c_file_has_ninja_compile_it(project: Esp32Project) -> None:
    source = project.path(f"{MODULE}/core/ring.c")
    source.write_text(source.read_text() + "// edited\n")
    run = project.app()
    assert "NINJA app.bin" in run.steps and "CONFIG ESP32S3_N16R8" not in run.steps
    assert tools(project) == ["ninja"]


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [f"{BOARD}/mpconfigboard.h", "firmware/python/viperhttp/errors.py"]
)
def test_what_ninja_sees_is_left_to_ninja(project: Esp32Project, name: str) -> None:
    path = project.path(name)
    path.write_text(path.read_text() + "\n")
    project.app()
    assert tools(project) == ["ninja"]


def test_a_fragment_makes_the_settings_anew(project: Esp32Project) -> None:
    project.edit(f"{BOARD}/sdkconfig.board", "MAX_SOCKETS=28", "MAX_SOCKETS=30")
    run = project.app()
    assert run.steps >= STEPS and tools(project) == ["idf.py", "ninja"]
    assert "CONFIG_LWIP_MAX_SOCKETS=30" in project.output("firmware/sdkconfig").read_text()


@pytest.mark.long
def test_a_setting_of_the_module_configures_anew(project: Esp32Project) -> None:
    project.app("GZIP_LEVEL=3")
    assert tools(project) == ["idf.py", "ninja"]


def test_python_that_is_gone_is_not_in_the_image(project: Esp32Project) -> None:
    extra = project.path("firmware/python/viperhttp/extra.py")
    extra.write_text("an_extra_module = 1\n")
    project.app()
    assert b"an_extra_module" in project.output("app.bin").read_bytes()
    extra.unlink()
    project.app()
    assert b"an_extra_module" not in project.output("app.bin").read_bytes()


@pytest.mark.long
def test_a_c_module_that_is_gone_leaves_nothing(project: Esp32Project) -> None:
    extra = project.path("firmware/cmodules/extra")
    extra.mkdir()
    (extra / "micropython.cmake").write_text(
        "add_library(extra OBJECT ${CMAKE_CURRENT_LIST_DIR}/modextra.c)\n"
        "set_target_properties(extra PROPERTIES LINKER_LANGUAGE C)\n"
        "add_library(usermod_extra INTERFACE)\n"
        "target_link_libraries(usermod_extra INTERFACE $<TARGET_OBJECTS:extra>)\n"
        "target_link_libraries(usermod INTERFACE usermod_extra)\n"
    )
    (extra / "modextra.c").write_text(
        "MP_REGISTER_MODULE(MP_QSTR_extra, extra_module);\n"
        "const mp_obj_module_t extra_module = {0};\n"
    )
    project.app()
    shutil.rmtree(extra)
    project.app()


def test_what_failed_to_configure_is_configured_whole(project: Esp32Project) -> None:
    board = project.path(f"{BOARD}/mpconfigboard.cmake")
    text = board.read_text()
    board.write_text(text + "message(FATAL_ERROR broken)\n")
    refused = project.app(status=2)
    assert "error: CMake Error" in refused.output and "broken" in refused.output
    board.write_text(text)
    project.app()
    assert json.loads(project.output("flash.json").read_text())["chip"] == "esp32s3"
    assert "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y" in project.output("firmware/sdkconfig").read_text()


def test_the_source_tree_is_not_written_to(made: Esp32Project) -> None:
    assert not (made.micropython / "ports/esp32/managed_components").exists()

    def solved_again(folder: Path) -> bool:
        locks = folder.rglob("dependencies.lock.*")
        return any("solved again" in lock.read_text() for lock in locks)

    assert not solved_again(made.micropython)
    assert solved_again(made.output("micropython"))


@pytest.mark.long
def test_micropython_of_ones_own_is_compiled_when_it_changes(project: Esp32Project) -> None:
    (project.micropython / "py/mpconfig.h").open("a").write("// edited\n")
    run = project.app()
    assert "COPY MicroPython" in run.steps and "CONFIG ESP32S3_N16R8" not in run.steps
    assert tools(project) == ["ninja"]


def test_a_setting_that_comes_to_nothing_is_named(project: Esp32Project) -> None:
    fragment = project.path(f"{BOARD}/sdkconfig.board")
    line = len(fragment.read_text().splitlines()) + 1
    fragment.write_text(fragment.read_text() + "CONFIG_LWIP_MAX_SOCKET=30\n")
    refused = project.app(status=2)
    assert (
        f"error: {BOARD}/sdkconfig.board line {line}: CONFIG_LWIP_MAX_SOCKET=30" in refused.output
    )


@pytest.mark.long
def test_one_core_is_refused(project: Esp32Project) -> None:
    project.edit(f"{BOARD}/sdkconfig.board", "UNICORE=n", "UNICORE=y")
    refused = project.app(status=2)
    assert "sets CONFIG_FREERTOS_UNICORE=y, and viperhttp runs on both cores" in refused.output
    project.edit(f"{BOARD}/sdkconfig.board", "UNICORE=y", "UNICORE=n")
    assert project.app().steps == {"CONFIG ESP32S3_N16R8"}  # the image is as it was


def test_a_partition_table_that_the_board_does_not_name_is_no_input(project: Esp32Project) -> None:
    project.path("boards/partitions-other.csv").write_text("nvs, data, nvs, 0x9000, 16K\n")
    assert project.image().steps == set()


def test_an_error_in_c_is_shown_first_and_the_output_whole(project: Esp32Project) -> None:
    source = project.path(f"{MODULE}/core/ring.c")
    source.write_text("#error broken\n" + source.read_text())
    refused = project.app(status=2)
    error = f"{MODULE}/core/ring.c:1:2: error: #error broken"
    shown = [line for line in refused.output.splitlines() if line]
    assert shown.index(error) < shown.index("ninja: build stopped: subcommand failed.")
    assert f"error: {error}" in shown


@pytest.mark.long
def test_a_copy_without_optimisation_is_refused(project: Esp32Project) -> None:
    project.edit(
        f"{MODULE}/micropython.cmake",
        "target_link_libraries(usermod INTERFACE usermod_viperhttp)",
        "target_sources(usermod_viperhttp INTERFACE ${VIPERHTTP_DIR}/core/ring.c)\n"
        "target_link_libraries(usermod INTERFACE usermod_viperhttp)",
    )
    assert "error: ring.c is linked unoptimised" in project.app(status=2).output


@pytest.mark.long
def test_another_partition_table_is_refused(project: Esp32Project) -> None:
    project.idf.behave("foreign-table")
    project.edit(f"{BOARD}/sdkconfig.board", "MAX_SOCKETS=28", "MAX_SOCKETS=30")
    refused = project.app(status=2)
    assert (
        "ESP-IDF makes another partition table of boards/partitions-16MiBplus.csv" in refused.output
    )


@pytest.mark.long
def test_a_full_slot_is_refused(project: Esp32Project) -> None:
    path = project.path("firmware/python/viperhttp/errors.py")
    path.write_text(path.read_text() + f"# {'x' * (3 << 20)}\n")
    refused = project.app(status=2)
    assert "too small for binary micropython.bin size" in refused.output
    assert "make the partition larger in the board's CSV" in refused.output


@pytest.mark.long
def test_no_network_is_told(project: Esp32Project) -> None:
    project.idf.behave("no-network")
    shutil.rmtree(project.output("micropython"))
    project.edit(f"{BOARD}/sdkconfig.board", "MAX_SOCKETS=28", "MAX_SOCKETS=30")
    refused = project.app(status=2)
    assert "error: Cannot establish a connection to the component registry" in refused.output
    assert "check the network" in refused.output


@pytest.mark.long
def test_tools_for_another_chip_name_the_installer(project: Esp32Project) -> None:
    shutil.rmtree(project.idf.tools)
    project.idf.install("esp32c3")
    refused = project.app(status=2)
    assert "has no compiler for esp32s3" in refused.output
    assert f"{project.idf.folder}/install.sh esp32s3" in refused.output


def test_no_esp_idf_is_told_and_harms_nobody_else(project: Esp32Project) -> None:
    nowhere = {"HOME": str(project.folder), "IDF_PATH": "/nowhere"}
    refused = project.app(status=2, **nowhere)
    assert "there is none here" in refused.output and "./scons idf" in refused.output
    assert "BOARD=ESP32S3_N16R8" in project.scons("-h", "BOARD=ESP32S3_N16R8", **nowhere).output


def test_a_clone_in_a_path_with_a_space_is_refused(made: Esp32Project, tmp_path: Path) -> None:
    copy_sources(tmp_path / "a project")
    spaced = Esp32Project(tmp_path / "a project", made.idf, made.micropython)
    made.idf.forget_calls()
    refused = spaced.app(status=2)
    assert "ESP-IDF does not build in a path with a space" in refused.output
    assert not made.idf.calls("idf.py")


@pytest.mark.long
def test_the_classic_esp32_is_built_too(project: Esp32Project) -> None:
    project.scons("image", "BOARD=ESP32_SPIRAM", f"MICROPYTHON={project.micropython}")
    flash = json.loads(project.path("build/ESP32_SPIRAM/flash.json").read_text())
    assert {part["name"]: part["offset"] for part in flash["parts"]} == {
        "bootloader": 0x1000,
        "partition-table": 0x8000,
        "factory": 0x10000,
        "vfs": 0x200000,
    }
