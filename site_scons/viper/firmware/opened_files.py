# SPDX-License-Identifier: MIT
"""What a build has opened, by the word of its compiler, its linker and MicroPython's manifest.

The build id names what was read by us; a file that a compiler found elsewhere would be in the
firmware under an id that knows nothing of it. So it is asked afterwards:

- make's folder has a dependency file (.P) beside each object, as GCC's -MD writes them, and make
  lists the makefiles that it has read;
- ninja keeps the same in a database, which `ninja -t deps` prints, and build.ninja has the files of
  cmake that it depends on itself;
- the linker's map lists what it has loaded;
- tools/manifestfile.py of MicroPython tells what a manifest freezes.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError
from viper.firmware.original_paths import OriginalPaths

_LOADED = re.compile(r"^LOAD (\S.*)$", re.MULTILINE)
_CMAKE_AGAIN = re.compile(
    r"^build build\.ninja.*: RERUN_CMAKE \| (.*?)(?: \|\| .*)?$", re.MULTILINE
)
_CMAKE_ROOT = re.compile(r"^CMAKE_ROOT:INTERNAL=(.+)$", re.MULTILINE)
_WORD = re.compile(r"(?:\\.|[^\s\\])+")
# Opens what the manifest includes itself, and prints what it would freeze; nothing is compiled.
_MANIFEST = """
import json, os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
tools, manifest, variables = sys.argv[1:4]
sys.path.insert(0, tools)
import manifestfile
del opened[:]
listed = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, json.loads(variables))
listed.execute(manifest)
found = [file.full_path for file in listed.files()]
texts = [path for path in opened if isinstance(path, str) and path.endswith(".py")]
print(json.dumps([os.path.abspath(path) for path in found + texts]))
"""


@dataclass(frozen=True)
class Opened:
    """Files by their absolute paths.

    Attributes:
        sources: what was compiled, each into an object of its own.
        included: what they include.
        linked: what the linker has loaded.
        frozen: what a manifest names.
        rules: what says how: makefiles, and cmake's.
    """

    sources: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()

    def everything(self) -> frozenset[str]:
        """All of them."""
        return self.sources | self.included | self.linked | self.frozen | self.rules


def by_make(folder: Path, directory: Path) -> Opened:
    """What the objects in make's folder were made from.

    Args:
        directory: where make ran, which names are relative to.
    """
    absolute = _Absolute(directory)
    sources, included = set(), set()
    for file in folder.rglob("*.P"):
        first, *others = _prerequisites(file.read_text(encoding="utf-8", errors="surrogateescape"))
        sources.add(absolute[first])
        included |= {absolute[name] for name in others}
    return Opened(frozenset(sources), frozenset(included))


def makefiles(listing: Path, directory: Path) -> Opened:
    """The makefiles that make has read, as its MAKEFILE_LIST names them in a file."""
    absolute = _Absolute(directory)
    names = listing.read_text(encoding="utf-8", errors="surrogateescape").split()
    # A dependency file is one too; what was to be included and is not there was not read.
    return Opened(rules=frozenset(absolute[name] for name in names if not name.endswith(".P")))


def by_cmake(folder: Path) -> Opened:
    """The files in its language that cmake has read, but for its own, as build.ninja has them."""
    absolute = _Absolute(folder)
    text = (folder / "build.ninja").read_text(encoding="utf-8", errors="surrogateescape")
    listed = _CMAKE_AGAIN.search(text)
    names = re.split(r"(?<!\$) ", listed[1]) if listed else []
    paths = {absolute[re.sub(r"\$(.)", r"\1", name)] for name in names}
    cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8", errors="surrogateescape")
    own = tuple(f"{os.path.realpath(root)}/" for root in _CMAKE_ROOT.findall(cache))
    return Opened(
        rules=frozenset(
            path
            for path in paths
            if path.endswith((".cmake", "/CMakeLists.txt")) and not path.startswith(own)
        )
    )


def by_ninja(folder: Path, environment: Mapping[str, str]) -> Opened:
    """What the objects in ninja's folder were made from; nothing if it keeps no such database."""
    if not (folder / ".ninja_deps").exists():
        return Opened()
    absolute = _Absolute(folder)
    sources, included = set(), set()
    shown = process.run(["ninja", "-C", str(folder), "-t", "deps"], environment=environment)
    for block in shown.split("\n\n"):
        names = [line.strip() for line in block.splitlines() if line.startswith("    ")]
        sources |= {absolute[name] for name in names[:1]}
        included |= {absolute[name] for name in names[1:]}
    return Opened(frozenset(sources), frozenset(included))


def by_linker(map_file: Path, directory: Path) -> Opened:
    """What a linker's map says that was loaded."""
    absolute = _Absolute(directory)
    text = map_file.read_text(encoding="utf-8", errors="surrogateescape")
    loaded = (absolute[name] for name in _LOADED.findall(text))
    return Opened(linked=frozenset(path for path in loaded if Path(path).exists()))


def by_manifest(
    manifest: Path, micropython: Path, variables: Mapping[str, str], names: OriginalPaths
) -> Opened:
    """What a manifest freezes, and which other manifests it includes.

    Nothing is told of a tree that has no manifestfile.py: that is no MicroPython yet.

    Args:
        names: those that people know the copies by.

    Raises:
        UserError: it is not valid; or it is by what a makefile says, and not by `variables`.
    """
    if not (micropython / "tools/manifestfile.py").exists():
        return Opened()
    command = [sys.executable, "-c", _MANIFEST, str(micropython / "tools"), str(manifest)]
    try:
        shown = process.run(
            [*command, json.dumps(dict(variables))],
            environment=process.clean_environment(PYTHONDONTWRITEBYTECODE="1"),
        )
    except process.ToolFailed as failure:
        _, _, what = failure.last_line().partition(": ")  # behind the exception's name
        raise UserError(names.text(what), "mend it and run the same again") from None
    return Opened(frozen=frozenset(map(os.path.realpath, json.loads(shown.splitlines()[-1]))))


def together(parts: Iterable[Opened]) -> Opened:
    """Several ways of asking as one."""
    parts = list(parts)
    return Opened(
        sources=frozenset().union(*[part.sources for part in parts]),
        included=frozenset().union(*[part.included for part in parts]),
        linked=frozenset().union(*[part.linked for part in parts]),
        frozen=frozenset().union(*[part.frozen for part in parts]),
        rules=frozenset().union(*[part.rules for part in parts]),
    )


class _Absolute(dict[str, str]):
    """Paths as a tool has written them, absolute; many objects name the same."""

    def __init__(self, directory: Path) -> None:
        self._directory = os.path.realpath(directory)

    def __missing__(self, name: str) -> str:
        path = os.path.realpath(os.path.join(self._directory, name))  # noqa: PTH118, thousands
        self[name] = path
        return path


def _prerequisites(text: str) -> Iterator[str]:
    """The prerequisites of the first rule of a makefile."""
    rule = re.split(r"(?<!\\)\n", text, maxsplit=1)[0].replace("\\\n", " ")
    for word in _WORD.findall(rule.partition(": ")[2]):
        yield re.sub(r"\\(.)", r"\1", word)
