# SPDX-License-Identifier: MIT
"""A C compiler and what it calls, by content: a version line says little of what compiles.

The driver is asked once where its programs are (`build/toolchain.json` remembers it while the
driver is the same file); after that a look at each of them tells whether it is what it was. GCC's
options: https://gcc.gnu.org/onlinedocs/gcc/Developer-Options.html
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from viper.base import atomic_file
from viper.base.contents import Contents

_PROGRAMS = ("collect2", "as", "ld", "strip", "objcopy")
# Of the C library and the compiler's own, what a program is linked with and started by.
_LIBRARIES = ("libc.so.6", "libm.so.6", "libc.a", "libgcc.a", "crt1.o")


@dataclass(frozen=True)
class Toolchain:
    """A compiler, or several that make one program.

    Attributes:
        version: the first line that it shows of itself; empty if it shows none.
        parts: what tells it from another: its machine, and its files' digests by name.
        headers: the folders that it looks for headers in by itself.
        libraries: the same of libraries.
    """

    version: str
    parts: Mapping[str, str]
    headers: tuple[str, ...]
    libraries: tuple[str, ...]

    def __or__(self, other: Toolchain) -> Toolchain:
        return Toolchain(
            self.version,
            {**self.parts, **other.parts},
            self.headers + other.headers,
            self.libraries + other.libraries,
        )

    def owns(self, path: str) -> bool:
        """Whether a file that it has opened is its own or the C library's."""
        return (
            any(path.startswith(f"{folder}/") for folder in self.headers)
            or str(Path(path).parent) in self.libraries
        )


class Toolchains:
    """The compilers of this machine."""

    def __init__(self, memory: Path, contents: Contents) -> None:
        """Args:
        memory: the file that remembers where the programs of each driver are.
        """
        self._memory = memory
        self._contents = contents
        self._known = _load(memory)
        self._learned = False

    def find(self, name: str, environment: Mapping[str, str]) -> Toolchain:
        """A compiler as it stands.

        Args:
            name: its driver, in PATH: "gcc", "xtensa-esp32s3-elf-gcc".
            environment: all of the environment that it will be called in.
        """
        driver = shutil.which(name, path=environment.get("PATH"))
        if driver is None:
            return Toolchain("", {name: "none"}, (), ())
        digest = self._contents.digest(driver)
        layout = self._known.get(driver)
        if layout is None or layout.digest != digest or not all(map(os.path.exists, layout.files)):
            layout = self._known[driver] = _ask(driver, digest, environment)
            self._learned = True
        parts = {
            name: digest,
            "machine": layout.machine,
            **{Path(path).name: self._contents.digest(path) for path in layout.files},
        }
        return Toolchain(layout.version, parts, tuple(layout.headers), tuple(layout.libraries))

    def keep(self) -> None:
        """Remember what was learned, for the next run."""
        if self._learned:
            known = {path: asdict(layout) for path, layout in self._known.items()}
            atomic_file.write_json(self._memory, known)


@dataclass(frozen=True)
class _Layout:
    """What a driver has said of itself."""

    digest: str
    version: str
    machine: str
    files: list[str]
    headers: list[str]
    libraries: list[str]


def _load(memory: Path) -> dict[str, _Layout]:
    try:
        document = json.loads(memory.read_bytes())
        return {path: _Layout(**layout) for path, layout in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _ask(driver: str, digest: str, environment: Mapping[str, str]) -> _Layout:
    def say(*options: str) -> str:
        try:
            asked = subprocess.run(
                [driver, *options],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError:
            return ""
        return asked.stdout.strip() if asked.returncode == 0 else ""

    language, compiler = ("c++", "cc1plus") if driver.endswith("++") else ("c", "cc1")
    programs = [
        shutil.which(say(f"-print-prog-name={name}"), path=environment.get("PATH"))
        for name in (compiler, *_PROGRAMS)
    ]
    libraries = [say(f"-print-file-name={name}") for name in _LIBRARIES]
    files = [os.path.realpath(path) for path in [*programs, *libraries] if path]
    _, _, searched = say("-E", "-v", "-x", language, os.devnull).partition("search starts here:\n")
    listed = searched.partition("End of search list")[0].splitlines()
    folders = [os.path.normpath(line.strip()) for line in listed if line.startswith(" ")]
    _, _, looked_in = say("-print-search-dirs").partition("libraries: =")
    return _Layout(
        digest=digest,
        version=say("--version").partition("\n")[0],
        machine=say("-dumpmachine"),
        files=sorted({path for path in files if Path(path).is_file()}),
        # What a person installs below /usr/local belongs to no compiler.
        headers=sorted({path for path in folders if not path.startswith("/usr/local/")}),
        libraries=sorted({os.path.normpath(path) for path in looked_in.split(":") if path}),
    )
