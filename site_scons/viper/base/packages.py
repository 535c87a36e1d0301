# SPDX-License-Identifier: MIT
"""The packages of this Python: what only some goals need comes when such a goal is first named.

requirements/<name>.txt is a lock, versions with hashes. ./scons makes .venv from base.txt, and the
others add to it. A lock's copy in .venv/requirements, written last, says that all of it is there.
"""

from __future__ import annotations

import fcntl
import importlib
import importlib.metadata
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base import atomic_file, console, process
from viper.base.errors import UserError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

LOCKS = Path(__file__).resolve().parents[3] / "requirements"
_INSTALLED = Path(sys.prefix, "requirements")


def provide(name: str) -> None:
    """Let this Python have the packages of a lock; a line says so if they have to be installed.

    Args:
        name: the lock's, "test" for requirements/test.txt.

    Raises:
        UserError: they cannot be had, or this Python is not that of ./scons and lacks one.
        KeyboardInterrupt: Ctrl-C; the same again installs what is left.
    """
    lock = LOCKS / f"{name}.txt"
    if _is_there(lock):
        return
    if not (_INSTALLED / "base.txt").is_file():
        lacking = wrong(lock)  # nothing is installed in a Python of somebody else's
        if lacking:
            raise UserError(
                f"this Python lacks packages: {lacking[0]}",
                f"python -m pip install -r requirements/{lock.name}, or type ./scons, not scons",
            )
        return
    with (_INSTALLED / "base.txt").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # another run may be at it
        if not _is_there(lock):
            console.step("PYTHON", f".venv  installing requirements/{lock.name}, once")
            _install(lock)


def wrong(lock: Path) -> list[str]:
    """What this Python has not as a lock says: "pytest is not installed", "pytest is 7.0"."""
    found = []
    for one in pinned(lock):
        try:
            installed = importlib.metadata.version(one.name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{one.name} is not installed")
        else:
            if not one.specifier.contains(installed):
                found.append(f"{one.name} is {installed}")
    return found


def pinned(lock: Path) -> list[Requirement]:
    """The packages of a lock that this platform and this Python want."""
    from packaging.requirements import Requirement

    lines = re.findall(r"^([\w.-]+==[^\\\n]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    every = [Requirement(line.strip()) for line in lines]
    return [one for one in every if one.marker is None or one.marker.evaluate()]


def _is_there(lock: Path) -> bool:
    """Whether all of a lock, as it is now, was installed."""
    copy = _INSTALLED / lock.name
    return copy.is_file() and copy.read_bytes() == lock.read_bytes()


def _install(lock: Path) -> None:
    try:
        process.run(
            [
                sys.executable, "-m", "pip", "install", "-qq", "--require-hashes",
                "--disable-pip-version-check", "--no-input", "--no-compile",
                "--no-build-isolation", "--requirement", str(lock),
            ]
        )  # fmt: skip
    except process.ToolFailed as failure:
        raise UserError(
            f"requirements/{lock.name} could not be installed: {failure.last_line()}",
            "check the network and the free disk space, then type the same again",
        ) from None
    importlib.invalidate_caches()
    atomic_file.write(_INSTALLED / lock.name, lock.read_bytes())
