# SPDX-License-Identifier: MIT
"""`./scons why` says what would run and why, in the words of the project, and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from project import Project, copy_sources

# Words of the machinery, which nobody has to know.
_SCONS = re.compile(
    r"\bscons\b|sconsign|target|source|implicit|prerequisite|depend|action|builder|builtin|"
    r"signature|csig|digest|\bnodes?\b|alias|taskmaster|decider|executor|emitter|scanner|None",
    re.IGNORECASE,
)
_LINE = re.compile(r"^[A-Z]{3,8} +(\S+): (.*)$", re.MULTILINE)


def ask(project: Project, *arguments: str, **environment: str) -> dict[str, str]:
    """What is said of each output, by its name; nothing may have changed by the question."""
    before = _files(project)
    output = project.scons(*arguments, **environment).output
    assert _files(project) == before
    assert not _SCONS.search(output), output
    return dict(_LINE.findall(output))


def _files(project: Project) -> dict[Path, tuple[int, int]]:
    """All files but MicroPython's, Python's bytecode and the lock of a run, by what a write would
    change.
    """
    found = {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in project.folder.rglob("*")
        if path.is_file()
        and path.name != ".lock"
        and not {"micropython", "__pycache__"} & set(path.parts)
    }
    nothing_yet = project.path("build/.sconsign.dblite")  # is begun as an empty file
    return {path: written for path, written in found.items() if path != nothing_yet or written[1]}


@dataclass(frozen=True)
class Case:
    """A change, and what has to be said of it.

    Attributes:
        told: texts that must stand in what is said of an output, by its name.
        options: given with the question and with the run.
        compiles: whether the run would compile; then it is only foretold.
    """

    change: Callable[[Project], object]
    told: dict[str, str]
    options: tuple[str, ...] = ()
    compiles: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def _append(name: str, text: str) -> Callable[[Project], object]:
    def change(project: Project) -> None:
        with project.path(name).open("a") as file:
            file.write(text)

    return change


def _edit(name: str, old: str, new: str) -> Callable[[Project], object]:
    return lambda project: project.edit(name, old, new)


def _write(name: str, content: str) -> Callable[[Project], object]:
    return lambda project: project.path(name).write_text(content)


def _remove(*names: str) -> Callable[[Project], object]:
    return lambda project: [project.path(name).unlink() for name in names]


BUILD = "build/VIRTUAL_N16R8"
TABLE = "boards/partitions-16MiBplus.csv"
MODULE = "firmware/cmodules/viperhttp"
CASES = {
    "an asset is new": Case(
        _write("assets/www/new.css", "p { color: red }\n" * 100),
        {"www.json": "assets/www/new.css is new"},
    ),
    "an asset is gone": Case(
        _remove("assets/www/favicon.svg"),
        {"www.json": "assets/www/favicon.svg is gone", "files.json": "may change with www.json"},
    ),
    "an asset that is not compressed": Case(
        _write("assets/www/photo.jpg", "x" * 5000), {"www.json": "assets/www/photo.jpg is new"}
    ),
    "a line of the table": Case(
        _edit(TABLE, "phy_init,", "phy_data,"),
        {
            "partition-table.bin": f"{TABLE} changed line 5",
            "vfs.img": f"{TABLE} changed line 5",
            "flash.bin": "may change with partition-table.bin, vfs.img",
        },
    ),
    "an option": Case(lambda _: None, {"www.json": "level 6 → 9"}, ("GZIP_LEVEL=9",)),
    "an option of one step": Case(
        lambda _: None, {"build.json": "max_app unset → 900000"}, ("MAX_APP=900k",)
    ),
    "a package": Case(
        _edit("requirements/base.txt", "zlib-ng==", "zlib-ng==9."), {"www.json": "zlib-ng "}
    ),
    "our own code": Case(
        _append("site_scons/viper/image/otadata.py", "# more\n"),
        {"otadata.bin": "viper.image.otadata changed"},
    ),
    "the code of a step": Case(
        _edit("site_scons/site_tools/flash_image.py", "blank, so", "empty, so"),
        {"otadata.bin": "the step's code in flash_image.py changed"},
    ),
    "the application": Case(
        _append("firmware/app/main.py", "# more\n"), {"files.json": "firmware/app/main.py changed"}
    ),
    "a template": Case(
        _append("firmware/app/templates/status.html", "<!-- more -->\n"),
        {"templates/readings_html.py": "firmware/app/templates/status.html changed"},
    ),
    "an output is gone": Case(
        _remove(f"{BUILD}/vfs.img"),
        {"vfs.img": "vfs.img is gone", "flash.bin": "may change with vfs.img"},
    ),
    "all that a step makes is gone": Case(
        _remove(f"{BUILD}/flash.bin", f"{BUILD}/flash.json"),
        {"flash.bin": "flash.bin is gone; flash.json is gone"},
    ),
    "an output is damaged": Case(
        _append(f"{BUILD}/www.json", "\n"),
        {"www.json": f"{BUILD}/www.json was changed after it was made"},
    ),
    "a pin": Case(
        _edit("nix/pins.json", '"commit": "78ff170de9', '"commit": "0000000000'),
        {
            "build/micropython.json": "nix/pins.json changed",
            "firmware/micropython": "may change with build/micropython.json",
        },
        compiles=True,
    ),
    "a C file": Case(
        _append(f"{MODULE}/core/mime.c", "// more\n"),
        {
            "firmware/micropython": f"{MODULE}/core/mime.c changed",
            "app.bin": "may change with firmware/micropython",
        },
        compiles=True,
    ),
    "a header that is new": Case(
        _write(f"{MODULE}/core/new.h", "#define NEW\n"),
        {"firmware/micropython": f"{MODULE}/core/new.h is new"},
        compiles=True,
    ),
    "a frozen module": Case(
        _append("firmware/python/viperhttp/__init__.py", "# more\n"),
        {"firmware/micropython": "firmware/python/viperhttp/__init__.py changed"},
        compiles=True,
    ),
    "a setting of the board": Case(
        _edit("boards/VIRTUAL_N16R8/board.toml", "level = 6", "level = 7"),
        {"www.json": "level 6 → 7", "firmware/micropython": "VHTTP_GZIP_LEVEL 6 → 7"},
        compiles=True,
    ),
    "the compiler": Case(
        lambda project: _other_compiler(project.path("bin")),
        {"firmware/micropython": "→ gcc 99"},
        compiles=True,
        environment={"PATH": "bin:/usr/local/bin:/usr/bin:/bin"},
    ),
}


def _other_compiler(folder: Path) -> None:
    folder.mkdir()
    (folder / "gcc").write_text("#!/bin/sh\necho gcc 99\n")
    (folder / "gcc").chmod(0o755)


# Where only the file differs from that of another case.
ALIKE = {
    "an asset is new", "an asset that is not compressed", "an option", "our own code",
    "the application", "a template", "all that a step makes is gone", "a header that is new",
    "a frozen module", "a pin",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in ALIKE else []) for name in CASES],
)
def test_a_change_is_told_and_is_what_runs(project: Project, name: str) -> None:
    case = CASES[name]
    case.change(project)
    told = ask(project, "why", *case.options, **case.environment)
    for output, text in case.told.items():
        assert text in told[output], told
    if case.compiles:
        return
    # What was foretold is what runs.
    would = sum(not text.startswith("may change") for text in told.values())
    counted = re.search(r"^(\d+) steps? run", project.scons(*case.options).output, re.M)
    ran = int(counted[1]) if counted else 0
    assert would <= ran <= len(told), told
    assert ask(project, "why", *case.options) == {}


def test_nothing_changed(project: Project) -> None:
    project.path("assets/www/app.js").touch()
    assert ask(project, "why") == {}
    assert re.fullmatch(r"all \d+ steps are up to date\n", project.scons("why").output)


def test_an_asset_is_followed_to_the_flash(project: Project) -> None:
    with project.path("assets/www/app.js").open("a") as file:
        file.write("// more\n")
    told = ask(project, "why=flash")
    assert told == {
        "www.json": "assets/www/app.js changed",
        "files.json": "may change with www.json",
        "vfs.img": "may change with files.json",
        "flash.bin": "may change with files.json, vfs.img",
        "build.json": "may change with www.json, flash.bin",
    }
    # Asked in the same words as built, and about one output only.
    assert ask(project, "why", "flash") == told
    wanted = {"www.json", "files.json"}
    assert set(ask(project, "why=sync")) == wanted
    assert set(ask(project, "why=vfs.img")) == wanted | {"vfs.img"}
    # Part of what was foretold is made: the rest is told as it then stands.
    project.scons("assets")
    assert ask(project, "why")["files.json"] == f"{BUILD}/www.json changed"


@pytest.mark.parametrize("lost", ["VIRTUAL_N16R8/steps.json", ".sconsign.dblite"])
def test_what_nobody_knows_is_said(project: Project, lost: str) -> None:
    project.path(f"build/{lost}").write_bytes(b"")
    told = ask(project, "why", "GZIP_LEVEL=9")
    assert told["www.json"] in (
        "its options, code or tools changed",
        "nobody knows what it was made from",
    )


def test_a_clone_in_which_nothing_was_made(built: Path, tmp_path: Path) -> None:
    copy_sources(tmp_path / "clone")
    clone = Project(tmp_path / "clone")
    told = ask(clone, "why")
    assert told["www.json"] == told["partition-table.bin"] == "not made yet"
    assert told["app.bin"] == "not made yet; may change with firmware/micropython"
    assert len(told) > 10 and "flash asks the device itself" in clone.scons("why=flash").output


def test_a_name_that_is_nothing(project: Project) -> None:
    refused = project.scons("why=vfs.imag", status=2).output
    assert refused.startswith("error: why=vfs.imag: ") and "did you mean 'vfs.img'?" in refused
    nowhere = project.scons("why=zzz", status=2).output
    assert not _SCONS.search(nowhere.replace("./scons -h", "")), nowhere


def test_many_changes_of_a_kind_are_counted(project: Project) -> None:
    for number in range(10):
        project.path(f"assets/www/{number}.txt").write_text("x\n")
    told = ask(project, "why")
    assert "and 6 more are new" in told["www.json"]
