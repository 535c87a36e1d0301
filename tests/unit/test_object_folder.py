# SPDX-License-Identifier: MIT
"""When objects may be gone on with: as long as what they do not depend on is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.firmware.object_folder import ObjectFolder

UNSEEN = {"settings": {"A": 1}, "toolchain": {"cc1": "ab"}, "command": ["make"]}
FILES = dict.fromkeys(
    (
        "m/a.c",
        "m/part.c",
        "m/a.h",
        "m/nobody.h",
        "m/table.def",
        "m/micropython.mk",
        "m/S.S",
        "p/frozen.py",
        "p/gen.py",
    ),
    "1",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that was built in, where a.c includes a.h and table.def."""
    path = tmp_path / "objects"
    objects = ObjectFolder(path)
    assert objects.prepare(UNSEEN, FILES, assembler_reads=False)
    for name in ("a.o", "a.P"):
        (path / name).touch()
    (path / "genhdr").mkdir()
    (path / "genhdr/qstr.i.last").touch()
    objects.done(
        UNSEEN,
        compiled=["m/a.c"],
        included=["m/a.h", "m/table.def"],
        frozen=["p/frozen.py"],
    )
    return path


def begins_anew(
    folder: Path, unseen: object = UNSEEN, assembler_reads: bool = False, **changed: str
) -> bool:
    files = {**FILES, **{name.replace("__", "/").replace("_x_", "."): digest
                         for name, digest in changed.items()}}  # fmt: skip
    assert isinstance(unseen, dict)
    is_new = ObjectFolder(folder).prepare(unseen, files, assembler_reads=assembler_reads)
    assert is_new == (not (folder / "a.o").exists())
    return is_new


def test_nothing_changed(folder: Path) -> None:
    assert not begins_anew(folder)
    assert (folder / "genhdr/qstr.i.last").exists()


@pytest.mark.parametrize("file", ["m__a_x_c", "p__frozen_x_py"])
def test_what_make_sees_is_left_to_make(folder: Path, file: str) -> None:
    ObjectFolder(folder).ended()
    assert not begins_anew(folder, **{file: "2"})
    assert (folder / "genhdr/qstr.i.last").exists()


@pytest.mark.parametrize("file", ["m__a_x_h", "m__table_x_def"])
def test_names_are_collected_again_when_a_header_has_changed(folder: Path, file: str) -> None:
    assert not begins_anew(folder, **{file: "2"})
    assert not (folder / "genhdr/qstr.i.last").exists()


@pytest.mark.parametrize("file", ["m__micropython_x_mk", "p__gen_x_py"])
def test_what_no_object_depends_on_begins_anew(folder: Path, file: str) -> None:
    assert begins_anew(folder, **{file: "2"})


@pytest.mark.parametrize("file", ["m__new_x_c", "m__new_x_h", "m__new_x_inc"])
def test_a_file_that_has_come_begins_anew(folder: Path, file: str) -> None:
    assert begins_anew(folder, **{file: "1"})


def test_a_file_that_has_gone_begins_anew(folder: Path) -> None:
    fewer = {name: digest for name, digest in FILES.items() if name != "m/a.h"}
    assert ObjectFolder(folder).prepare(UNSEEN, fewer, assembler_reads=False)


@pytest.mark.parametrize("name", UNSEEN)
def test_settings_compiler_and_command_begin_anew(folder: Path, name: str) -> None:
    assert begins_anew(folder, {**UNSEEN, name: "other"})


def test_an_object_that_does_not_tell_what_it_includes_begins_anew_with_headers(
    folder: Path,
) -> None:
    (folder / "S.o").touch()  # of assembler: it has no dependency file
    assert not begins_anew(folder, m__a_x_c="2")
    ObjectFolder(folder).ended()
    assert begins_anew(folder, m__a_x_h="2")


@pytest.mark.parametrize("file", ["m__nobody_x_h", "m__part_x_c", "m__S_x_S"])
def test_what_the_assembler_may_have_read_begins_anew(folder: Path, file: str) -> None:
    """No object is known to be made from it: only the assembler could have read it."""
    assert not begins_anew(folder, **{file: "2"})
    ObjectFolder(folder).ended()
    assert begins_anew(folder, assembler_reads=True, **{file: "3"})


@pytest.mark.parametrize("file", ["m__a_x_c", "m__a_x_h", "p__frozen_x_py"])
def test_what_is_known_is_left_to_make_then_too(folder: Path, file: str) -> None:
    assert not begins_anew(folder, assembler_reads=True, **{file: "2"})


def test_an_error_is_no_reason_and_a_kill_is(folder: Path) -> None:
    objects = ObjectFolder(folder)
    assert not objects.prepare(UNSEEN, FILES, assembler_reads=False)
    objects.ended()
    assert not begins_anew(folder)
    assert begins_anew(folder)  # nobody said how the one before ended


def test_a_tool_that_knows_what_it_had_not_finished_goes_on(folder: Path) -> None:
    for _ in range(2):  # the first does not say how it ended
        ninja = ObjectFolder(folder, survives_a_kill=True)
        assert not ninja.prepare(UNSEEN, FILES, assembler_reads=False)


def test_a_record_that_cannot_be_read_begins_anew(folder: Path) -> None:
    (folder / "made-from.json").write_text("{}")
    assert begins_anew(folder)
