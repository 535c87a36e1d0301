# SPDX-License-Identifier: MIT
"""The same build again, from nothing, in a folder of its own: is what stands what would be made?

As `nix-build --check` does it. The project's sources are copied, with links followed; MicroPython,
which nobody edits, is linked. Compilations may come from ccache, which knows what they depend on
by its own means; CCACHE_DISABLE=1 does without.
"""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError
from viper.source import checkout

# What every build reads, besides the sources that its graph looks at: of the project, of ViperHTTP.
_OWN = ("SConstruct", "local.py", ".viperignore")
_OURS = ("SConstruct", "site_scons", "nix", "requirements")
_PASSED_ON = ("CCACHE_", "IDF_", "MICROPYTHON_URL", "SCONSFLAGS")
_FETCHED = (
    "micropython", "micropython.json", "micropython-submodules", "micropython-submodules.json",
)  # fmt: skip
_OBJECTS = ("*.o", "*.obj")
_IMAGES = ("firmware/micropython", "*.bin", "*.img", "*.gz", "*.elf")

_ABOUT_LINES = 25  # that such a build prints, for the bar

_ELF = b"\x7fELF"


def bring(folder: Path, sources: Sequence[str]) -> None:
    """Make a folder hold what a build reads, and nothing that one has made.

    Args:
        folder: where; what is there goes.
        sources: the files and folders that the graph has looked at; those outside of the project
            stay where they are.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "build").mkdir(parents=True)
    ours = [str(checkout.FOLDER / name) for name in _OURS]
    inside = [path for path in sources if not Path(path).is_absolute()]
    for name in (*_OWN, *ours, *inside):
        _copy(Path(name), folder / name)
    for name in _FETCHED:
        _link(Path("build", name), folder / "build" / name)


def build(folder: Path, arguments: Sequence[str]) -> None:
    """Build the images of a project that was brought to a folder.

    Args:
        arguments: of SCons: targets and options.

    Raises:
        UserError: what was built before cannot be built now.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    command = [sys.executable, "-m", "SCons", "-Q", *arguments]
    try:
        with console.progress("building from nothing", _ABOUT_LINES) as show:
            lines = itertools.count(1)
            process.run(
                command,
                cwd=folder,
                environment=process.clean_environment(**kept),
                on_line=lambda _: show(next(lines)),
            )
    except process.ToolFailed as failure:
        console.note(failure.output.rstrip())
        raise UserError(
            "what stands cannot be built from nothing (see above)", f"look at {folder}"
        ) from None


def compare(project: Path, other: Path, outputs: Path) -> tuple[int, int]:
    """Compare the outputs of two builds of a board.

    Args:
        project: the folder of the project that stands.
        other: that of the project that was built again.
        outputs: where the board's outputs are in each.

    Returns:
        How many objects and how many other outputs there are.

    Raises:
        UserError: the first that differs, an object if there is one.
    """
    counts = []
    for patterns in (_OBJECTS, _IMAGES):
        stands, again = (_files(each, outputs, patterns) for each in (project, other))
        for name in sorted({*stands, *again}):
            one, another = stands.get(name, project / name), again.get(name, other / name)
            where = _difference(one, another)
            if where is not None:
                raise UserError(
                    f"{one}{where} is not what a build from nothing makes",
                    f"rm -r {project / outputs} has it all made anew; {another} is the other",
                )
        counts.append(len(stands))
    objects, images = counts
    return objects, images


def _files(project: Path, outputs: Path, patterns: tuple[str, ...]) -> dict[str, Path]:
    """The outputs that match a pattern, by what they are called wherever the project stands.

    cmake calls an object by the absolute path of its source, if that is not in its own folder.
    """
    here = str(project.absolute())
    found = {path for pattern in patterns for path in (project / outputs).rglob(pattern)}
    return {
        str(path.relative_to(project)).replace(here, ""): path for path in found if path.is_file()
    }


def _difference(one: Path, other: Path) -> str | None:
    """Where two files differ: in which section, if they have sections; None if they do not."""
    if not (one.exists() and other.exists()):
        return ""
    content, again = one.read_bytes(), other.read_bytes()
    if content == again:
        return None
    if content[:4] == again[:4] == _ELF:
        before, now = _sections(content), _sections(again)
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                return f", section {name},"
    at = next((n for n, (a, b) in enumerate(zip(content, again, strict=False)) if a != b), None)
    return f", byte {min(len(content), len(again)) if at is None else at},"


def _sections(elf: bytes) -> dict[str, bytes]:
    """The sections of an ELF file by name; little endian, of 32 or 64 bits (elf(5))."""
    is_wide = elf[4] == 2
    head = struct.unpack_from("<16xHHLQQQLHHHHHH" if is_wide else "<16xHHLLLLLHHHHHH", elf)
    start, size, count, names = head[5], head[10], head[11], head[12]
    form = struct.Struct("<LLQQQQ" if is_wide else "<LLLLLL")
    entries = [form.unpack_from(elf, start + number * size) for number in range(count)]
    texts = elf[entries[names][4] :] if entries else b""
    found = {}
    for name, kind, _, _, offset, length in entries:
        text = texts[name : texts.find(b"\0", name)].decode(errors="replace")
        found[text] = b"" if kind == 8 else elf[offset : offset + length]  # 8: NOBITS, no bytes
    return found


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        # One source may be in another.
        shutil.copytree(source, target, ignore=_no_sources, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _no_sources(folder: str, names: list[str]) -> list[str]:
    """Links to nothing, which shutil.copytree's own option knows by an absolute path alone."""
    return [name for name in names if name == "__pycache__" or not Path(folder, name).exists()]


def _link(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=_hard_link)
    elif source.exists():
        shutil.copy2(source, target)


def _hard_link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
