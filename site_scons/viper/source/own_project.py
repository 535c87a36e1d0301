# SPDX-License-Identifier: MIT
"""A project of one's own beside ViperHTTP: how it begins, and which commit it pins.

It is a copy of starter/, in which these are replaced:

    @NAME@       what the folder is called
    @VIPERHTTP@  the way from there to the checkout
    @COMMIT@     the checkout's commit, 40 hexadecimal digits
"""

from __future__ import annotations

import html
import os
import re
import shutil
from pathlib import Path

from viper.base import atomic_file, process
from viper.base.errors import UserError
from viper.source import checkout, git_command

_STARTER = checkout.FOLDER / "starter"
_RENAMED = {"gitignore": ".gitignore"}  # which would count in the checkout, too
_SCONSTRUCT = Path("SConstruct")
_IN_SCONSTRUCT = r'^{} = "([^"\n]*)"$'
_UNSAFE = re.compile(r'["\\\n]')  # in the line of a SConstruct that a shell reads, too


def begin(folder: Path) -> str:
    """Make a project in a folder, or leave nothing there.

    Returns:
        The commit that it pins.

    Raises:
        UserError: something is there, or it would be part of the checkout; there is no commit.
        OSError: it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"new={folder}: something is there already", "name a folder that is not")
    here, there = Path(os.path.realpath(checkout.FOLDER)), Path(os.path.realpath(folder))
    if there.is_relative_to(here):
        raise UserError(f"new={folder} is in ViperHTTP's own checkout", "./scons new=../greenhouse")
    way = os.path.relpath(here, there)
    if _UNSAFE.search(way):
        raise UserError(f"{here}: a quotation mark in the way to it", "move the checkout")
    if not there.parent.is_dir():
        raise UserError(f"new={folder}: there is no folder {there.parent}", f"mkdir {there.parent}")
    commit = resolve(str(here), "HEAD")
    replaced = {"@VIPERHTTP@": way, "@COMMIT@": commit, "@NAME@": html.escape(there.name)}
    try:
        shutil.copytree(
            _STARTER, there, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
        for name, new in _RENAMED.items():
            (there / name).rename(there / new)
        for path in filter(Path.is_file, there.rglob("*")):
            text = path.read_text(encoding="utf-8")
            for mark, value in replaced.items():
                text = text.replace(mark, value)
            path.write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(there, ignore_errors=True)
        raise
    return commit


def resolve(repository: str, revision: str) -> str:
    """The commit that a revision stands for in a repository, 40 hexadecimal digits.

    Args:
        repository: a folder, or an address.

    Raises:
        UserError: it is no repository, cannot be asked, or has no such revision.
    """
    try:
        if Path(repository).is_dir():
            words = ["-C", repository, "rev-parse", "--verify", "--end-of-options"]
            found = git_command.run(*words, f"{revision}^{{commit}}").split()
        else:
            found = git_command.run("ls-remote", "--", repository, revision).split()
    except process.ToolFailed as failure:
        raise UserError(
            f"{repository} has no commit {revision}: {git_command.reason(failure.output)}",
            f"git -C {repository} log",
        ) from None
    if not found and re.fullmatch("[0-9a-f]{40}", revision):
        return revision  # an address tells of names only
    if not found:
        raise UserError(f"{repository} has no {revision}", f"git ls-remote {repository}")
    return found[0]


def has_changes(folder: Path) -> bool:
    """Whether files of a checkout differ from its commit."""
    return bool(git_command.run("-C", str(folder), "status", "--porcelain").strip())


def move(revision: str) -> tuple[str, str]:
    """Have the project in the working folder pin another commit.

    Returns:
        The commit that it pinned, and that which it pins now.

    Raises:
        UserError: ViperHTTP's checkout has no such revision, or SConstruct does not name it.
    """
    text = _SCONSTRUCT.read_text(encoding="utf-8")
    repository, before = (_named(text, name) for name in ("VIPERHTTP", "COMMIT"))
    after = resolve(repository, revision)
    line = re.compile(_IN_SCONSTRUCT.format("COMMIT"), re.MULTILINE)
    atomic_file.write(_SCONSTRUCT, line.sub(f'COMMIT = "{after}"', text).encode())
    return before, after


def _named(sconstruct: str, name: str) -> str:
    found = re.search(_IN_SCONSTRUCT.format(name), sconstruct, re.MULTILINE)
    if found is None:
        raise UserError(f'SConstruct has no line {name} = "..."', "git checkout SConstruct")
    return found[1]
