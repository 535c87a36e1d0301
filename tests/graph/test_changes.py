# SPDX-License-Identifier: MIT
"""Each kind of input, changed in each way: its steps run if its content is another, and only then;
and what comes of it is, byte for byte, what a build from nothing makes of the same files.

A thin part of the product is in the suite.
"""

from __future__ import annotations

from pathlib import Path

import changes
import pytest
from changes import WAYS, Built, Kind, Way
from every_input import ESP32, ESP32_KINDS, FILES_KINDS, MICROPYTHON, UNIX, UNIX_KINDS, every_input
from idf_double import Esp32Project


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changes")


@pytest.fixture(scope="session")
def unix(folder: Path, built: Path) -> Built:
    """A virtual board's firmware."""
    return built_once(
        every_input(folder / "unix", built / "build/micropython"),
        UNIX,
        targets=("firmware/micropython",),
        compared=("firmware/micropython", "firmware.json", "firmware/**/*.o"),
        sources=("boards", "firmware", "linked"),
    )


@pytest.fixture(scope="session")
def esp32(folder: Path, built: Path) -> Built:
    """A real board's firmware."""
    return built_once(
        every_input(folder / "esp32", built / "build/micropython"),
        ESP32,
        targets=("app.bin",),
        compared=("app.bin", "bootloader.bin", "firmware.json"),
        sources=("boards", "firmware", "elsewhere"),
    )


@pytest.fixture(scope="session")
def files(folder: Path, built: Path) -> Built:
    """What is on a virtual board's file system."""
    return built_once(
        every_input(folder / "files", built / "build/micropython"),
        UNIX,
        targets=("vfs.img", "partition-table.bin"),
        compared=("*.bin", "*.img", "files.json", "www.json", "www/**/*.gz", "templates/*"),
        sources=("assets", "boards", "firmware", "style", ".viperignore"),
    )


def built_once(
    project: Esp32Project,
    board: str,
    *,
    targets: tuple[str, ...],
    compared: tuple[str, ...],
    sources: tuple[str, ...],
) -> Built:
    options = (f"MICROPYTHON={MICROPYTHON[board]}",)
    made = Built(project, board, options, targets, compared, (*sources, MICROPYTHON[board]))
    _, result = made.run()
    assert not result.error, result.error
    return made


def every(kinds: dict[str, Kind]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", kinds.values(), ids=kinds)


def check(built: Built, kind: Kind, ways: tuple[Way, ...] = WAYS) -> None:
    """Change it in each way, beginning from what stood; most ways lead to the same contents."""
    for way in ways:
        print(way.__name__)
        with built.put_back(kind.path):
            check_way(built, kind, way)


def check_way(built: Built, kind: Kind, way: Way) -> None:
    tags = kind.steps.split()
    # Of which files there are, ESP-IDF's configuration knows.
    may_run = {*tags, "CONFIG"} if way in changes.NAMES_CHANGE else {*tags}
    before = built.state()
    for _ in way(kind.changing(built)):
        run, result = built.run()
        assert result == built.from_nothing()
        ran = [step.split()[0] for step in run.steps]
        if result.error:
            before = ""  # which of its steps have to be made again, how far they came decides
        elif built.state() == before:
            assert not ran or way is changes.changed_while_it_is_built
        else:
            assert tags[0] in ran or not before, run.output
            assert set(ran) <= may_run, run.output
            before = built.state()


def test_every_kind_can_be_another(tmp_path: Path, built: Path) -> None:
    project = every_input(tmp_path, built / "build/micropython")
    for kind in (*UNIX_KINDS.values(), *ESP32_KINDS.values(), *FILES_KINDS.values()):
        content = project.path(kind.path).read_text()
        assert kind.old in content and len(kind.old) == len(kind.new), kind


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
        check(built, kind, (way,))


@pytest.mark.parametrize("name", ["unix", "esp32"])
@pytest.mark.parametrize("kind", ["C", "MicroPython"])
def test_what_stood_when_a_build_began_may_stand_again_after_it(
    request: pytest.FixtureRequest, name: str, kind: str
) -> None:
    """What it read in between is no reason to take it for built."""
    built: Built = request.getfixturevalue(name)
    changed = (UNIX_KINDS if name == "unix" else ESP32_KINDS)[kind]
    with built.put_back(changed.path):
        file = changed.changing(built)
        first, other = file.other, file.path.read_bytes()
        file.path.write_bytes(first)
        built.meanwhile(lambda: file.path.write_bytes(other), after="partition-table.bin")
        file.path.write_bytes(first)
        assert built.run()[1] == built.from_nothing()


def test_what_is_changed_and_restored_during_a_step_may_have_been_read(unix: Built) -> None:
    """Its content is what it was when the step began; that the next run does not rely on."""
    makefile = UNIX_KINDS["included makefile"].path
    frozen, kept = (unix.project.path(name) for name in (UNIX_KINDS["frozen"].path, "kept"))
    with unix.put_back(makefile):
        with unix.project.path(makefile).open("a") as file:
            file.write(
                f"$(shell cp -p '{frozen}' '{kept}'; echo >'{frozen}'; cp -p '{kept}' '{frozen}')\n"
            )
        for _ in range(2):
            run, _ = unix.run()
            assert any(step.startswith("MAKE ") for step in run.steps), run.output


@pytest.mark.long
@every(UNIX_KINDS)
def test_firmware_of_a_virtual_board(unix: Built, kind: Kind) -> None:
    check(unix, kind)


@pytest.mark.long
@every(ESP32_KINDS)
def test_firmware_of_a_real_board(esp32: Built, kind: Kind) -> None:
    check(esp32, kind)


@pytest.mark.long
@every(FILES_KINDS)
def test_files_of_a_device(files: Built, kind: Kind) -> None:
    check(files, kind)
