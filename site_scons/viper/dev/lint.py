# SPDX-License-Identifier: MIT
"""What a change must pass before it is one: the linters, each as a command, and the laws."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from viper.base import process
from viper.source import module_settings

_MODULE = Path("firmware/cmodules/viperhttp")
_SOURCES = ("firmware", "tests", "boards")
# The core, and what of the ports needs no other system's headers.
_TIDIED = (_MODULE / "core", _MODULE / "port")
_OF_OTHERS = "esp32"
_LAWS = ("tests/unit/test_laws.py", "tests/unit/test_sconstruct.py", "tests/c/test_core_laws.py")


@dataclass(frozen=True)
class Check:
    """A linter.

    Attributes:
        name: what it is called.
        commands: what finds faults, each by its exit status; they run beside each other.
        mend: the command that mends what it finds, "" if a person has to.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    mend: str = ""


def checks(root: Path, config: Path) -> Iterator[Check]:
    """The linters of a project, the quickest first.

    Args:
        root: the project.
        config: the folder of vhttp_config.h, which clang-tidy compiles with (see `write_config`).
    """
    python = sys.executable
    yield Check("ruff", ((python, "-m", "ruff", "check", "--quiet", "."),), "ruff check --fix")
    formatting = (python, "-m", "ruff", "format", "--check", "--quiet", ".")
    yield Check("ruff format", (formatting,), "ruff format")
    sources = sorted(
        str(path.relative_to(root))
        for folder in _SOURCES
        for path in (root / folder).rglob("*.[ch]")
    )
    written = (_tool("clang-format"), "--dry-run", "-Werror", *sources)
    yield Check("clang-format", (written,), "clang-format -i")
    includes = [f"-I{folder}" for folder in (config, *_TIDIED)]
    tidy = tuple(
        (_tool("clang-tidy"), "--quiet", str(path), "--", "-std=c11", "-D_GNU_SOURCE", *includes)
        for path in map(Path, sources)
        if path.parent in _TIDIED and path.suffix == ".c" and not path.stem.startswith(_OF_OTHERS)
    )
    yield Check("clang-tidy", tidy)
    mypy = (python, "-m", "mypy", "--no-error-summary")
    own = sorted(str(path.relative_to(root)) for path in (root / "tests").glob("*.py"))
    yield Check("mypy", (mypy, (*mypy, *own)))
    yield Check("laws", ((python, "-m", "pytest", "--quiet", "--numprocesses=0", *_LAWS),))


def write_config(root: Path, folder: Path) -> None:
    """Write vhttp_config.h as a build without a board's settings has it."""
    settings = module_settings.load(root / module_settings.LIST)
    text = module_settings.header(settings, {})
    (folder / "vhttp_config.h").write_text(text, encoding="utf-8")


def faults(root: Path, jobs: int, only: str = "") -> Iterator[tuple[Check, str]]:
    """Run every check on a project, or one; what each has found, "" if nothing."""
    with TemporaryDirectory() as name, ThreadPoolExecutor(jobs) as pool:
        config = Path(name)
        write_config(root, config)
        for check in checks(root, config):
            if only not in ("", check.name):
                continue
            found = pool.map(lambda command: _found(command, root), check.commands)
            yield check, "".join(found)


def _found(command: tuple[str, ...], root: Path) -> str:
    """What a linter says of what it has found."""
    done = subprocess.run(
        command,
        cwd=root,
        env=process.clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == 0:
        return ""
    return done.stdout or f"{command[0]} ended with status {done.returncode}\n"


def _tool(name: str) -> str:
    """A program that a package has put beside this Python."""
    return str(Path(sys.executable).with_name(name))
