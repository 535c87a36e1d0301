"""A Python environment beside the graph's own, for packages that do not go together with it."""

from __future__ import annotations

import sys
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError


def install(folder: Path, lock: Path, again: str) -> None:
    """Make an environment anew from a lock file.

    A copy of the lock file, written last, says that the environment is whole.

    Args:
        folder: where the environment is to be.
        lock: a requirements file with versions and hashes.
        again: what to type once the network is there.

    Raises:
        UserError: a package cannot be had.
    """
    try:
        process.run([sys.executable, "-m", "venv", "--clear", str(folder)])
        process.run(
            [
                f"{folder}/bin/python", "-m", "pip", "install", "--quiet",
                "--disable-pip-version-check", "--no-input", "--require-hashes",
                "--requirement", str(lock),
            ]
        )  # fmt: skip
    except process.ToolFailed as failure:
        raise UserError(failure.last_line(), f"check the network, then {again}") from None
    (folder / lock.name).write_bytes(lock.read_bytes())


def is_whole(folder: Path, lock: Path) -> bool:
    """Whether an environment is there that was made from a lock file as it is now."""
    copy = folder / lock.name
    return copy.is_file() and copy.read_bytes() == lock.read_bytes()
