# SPDX-License-Identifier: MIT
"""Installing the pinned ESP-IDF: git for its sources, its own installer for its tools.

What is there already is not fetched again, so an installation that was interrupted goes on where
it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError
from viper.source import board, esp_idf, git_command
from viper.source.pins import EspIdfPin

EMULATOR = "qemu-xtensa"  # as ESP-IDF's tools.json calls it, which pins it

_CHIPS = ",".join(board.CHIPS)
_PERCENT = re.compile(r"(\d+)%")
_SILENCE_S = 600  # unpacking a compiler prints nothing for minutes on a slow disk
_AGAIN = "check the network, then ./scons idf: it goes on where it stopped"


def install(pin: EspIdfPin, folder: Path) -> None:
    """Have the pinned ESP-IDF in `folder`, and its tools and Python environment beside it.

    The emulator comes with them where there is one for this computer: a line says if there is not.

    Args:
        folder: absolute.

    Raises:
        UserError: the path will not do, something could not be fetched, or the installer failed.
    """
    if " " in str(folder):
        raise UserError(f"{folder}: ESP-IDF does not work in a path with a space", "move the clone")
    if not _checked_out(pin, folder):
        _fetch(pin, folder)
    try:
        _run(folder, "tools and Python environment", ["bash", f"{folder}/install.sh", _CHIPS])
    except process.ToolFailed as failure:
        console.note(failure.output.rstrip())
        raise UserError(f"ESP-IDF's install.sh: {failure.last_line()}", _AGAIN) from None
    try:
        _run(folder, "emulator", ["python3", f"{folder}/tools/idf_tools.py", "install", EMULATOR])
    except process.ToolFailed as failure:
        console.note(f"PORT=qemu has no emulator here: {EMULATOR}: {failure.last_line()}")


def _run(folder: Path, what: str, command: list[str]) -> None:
    """Run an installer of ESP-IDF's."""
    environment = process.clean_environment(
        IDF_TOOLS_PATH=str(esp_idf.tools_beside(folder)), **process.network_environment()
    )
    with console.progress(f"ESP-IDF's {what}", 100) as show:
        process.run(command, environment=environment, on_line=_percent(show), silence_s=_SILENCE_S)


def _checked_out(pin: EspIdfPin, folder: Path) -> bool:
    """Whether the pinned commit and all of its submodules stand there."""
    if not (folder / ".git").exists():
        return False
    try:
        head = git_command.run("-C", str(folder), "rev-parse", "HEAD").strip()
        submodules = git_command.run("-C", str(folder), "submodule", "status", "--recursive")
    except process.ToolFailed:
        return False
    # "-" before a submodule's commit: it is not there; "+": another commit is.
    return head == pin.commit and not re.search(r"^[-+]", submodules, re.MULTILINE)


def _fetch(pin: EspIdfPin, folder: Path) -> None:
    at = ("-C", str(folder))
    try:
        git_command.fetch(folder, pin.url, pin.commit, f"ESP-IDF {pin.version}")
        # ESP-IDF tells its version by the tag; its submodules' addresses are relative to its own.
        git_command.run(*at, "tag", "--force", pin.version, pin.commit)
        git_command.run(*at, "config", "remote.origin.url", pin.url)
        with console.progress("ESP-IDF's submodules", 100) as show:
            git_command.run(
                *at, "submodule", "update", "--init", "--recursive", "--depth=1",
                "--progress", "--jobs=4",
                on_line=_percent(show),
                silence_s=_SILENCE_S,
            )  # fmt: skip
    except git_command.Unreachable as no_git:
        raise UserError(f"ESP-IDF {pin.version}: git: {no_git}", _AGAIN) from None
    except process.ToolFailed as failure:
        why = git_command.reason(failure.output)
        raise UserError(f"ESP-IDF {pin.version}: git: {why}", _AGAIN) from None


def _percent(show: Callable[[int], None]) -> Callable[[str], None]:
    """Read the percentages that git and ESP-IDF's downloader print; each part has its own."""

    def read(line: str) -> None:
        told = _PERCENT.search(line)
        if told:
            show(min(99, int(told[1])))

    return read
