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
from collections.abc import Iterator, Sequence
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError

# What a build reads, of a project's folder.
_SOURCES = (
    "SConstruct", "site_scons", "nix", "boards", "firmware", "assets", "local.py", ".viperignore",
)  # fmt: skip
_FETCHED = (
    "micropython", "micropython.json", "micropython-submodules", "micropython-submodules.json",
)  # fmt: skip
_OBJECTS = (".o", ".obj")
_IMAGES = (".bin", ".img", ".gz", ".elf")

_ABOUT_LINES = 25  # that such a build prints, for the bar

_ELF = b"\x7fELF"


def build(folder: Path, arguments: Sequence[str]) -> None:
    """Build a project's images in an empty folder.

    Args:
        folder: where; what is there goes.
        arguments: of SCons: targets and options.

    Raises:
        UserError: what was built before cannot be built now.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "build").mkdir(parents=True)
    locks = sorted(path.name for path in Path().glob("requirements*"))
    for name in (*_SOURCES, *locks):
        _copy(Path(name), folder / name)
    for name in _FETCHED:
        _link(Path("build", name), folder / "build" / name)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("CCACHE_", "IDF_")) or name == "MICROPYTHON_URL"
    }
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


def compare(stands: Path, again: Path) -> tuple[int, int]:
    """Compare the outputs of two builds of a board.

    Returns:
        How many objects and how many other outputs there are.

    Raises:
        UserError: the first that differs, an object if there is one.
    """
    objects, images = (
        sorted(set(_files(stands, suffixes)) | set(_files(again, suffixes)))
        for suffixes in (_OBJECTS, _IMAGES)
    )
    executable = Path("firmware/micropython")
    if (stands / executable).exists():
        images.insert(0, executable)
    for path in (*objects, *images):
        where = _difference(stands / path, again / path)
        if where is not None:
            raise UserError(
                f"{stands / path}{where} is not what a build from nothing makes",
                f"rm -r {stands} has it all made anew; {again / path} is the other",
            )
    return len(objects), len(images)


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in suffixes and path.is_file():
            yield path.relative_to(folder)


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
        shutil.copytree(
            source,
            target,
            ignore=shutil.ignore_patterns("__pycache__"),
            ignore_dangling_symlinks=True,
        )
    elif source.exists():
        shutil.copy2(source, target)


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
