# SPDX-License-Identifier: MIT
"""A folder of sources as one input: every file in it by its content.

Links are followed. Of a link that leads out of the project, the caller says whether it may: what is
compiled may come from anywhere, what is shipped may not. What can be neither read nor left out in
silence (a link to nothing, a pipe) is refused by its name.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.source.ignored import IgnoreList


@dataclass(frozen=True)
class Tree:
    """Files as they were found.

    Attributes:
        files: the digest of each, by its path relative to the project's root, sorted; what may be
            run has "x" after it.
    """

    files: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Tree({self.digest})"

    @cached_property
    def digest(self) -> str:
        """Of all names and contents: 64 hexadecimal digits."""
        text = "\n".join(f"{path}\0{digest}" for path, digest in self.files.items())
        return hashlib.sha256(os.fsencode(text)).hexdigest()

    def __or__(self, other: Tree) -> Tree:
        return Tree(dict(sorted({**self.files, **other.files}.items())))

    def without(self, left_out: Callable[[str], bool]) -> Tree:
        """The same but for some files."""
        return Tree({path: each for path, each in self.files.items() if not left_out(path)})


class Trees:
    """Looks at the project's folders. The working folder is the project's root."""

    def __init__(self, contents: Contents, ignore_list: IgnoreList) -> None:
        self._contents = contents
        self._ignore_list = ignore_list
        self._root = os.path.realpath(".")
        self._ignored: set[str] = set()
        self._looked_at: list[str] = []

    @property
    def looked_at(self) -> list[str]:
        """The folders and files that trees were found in so far."""
        return list(self._looked_at)

    @property
    def ignored(self) -> list[str]:
        """All that was passed over so far, sorted."""
        return sorted(self._ignored)

    def find(self, *paths: str, links_out: bool = False, modes: bool = False) -> Tree:
        """All files in some folders, and some files.

        Args:
            links_out: whether a link may lead out of the project.
            modes: whether it matters which files may be run.

        Raises:
            UserError: something there cannot be read, or leads out of the project.
        """
        self._looked_at += paths
        walk = _Walk(self._ignore_list, self._root, links_out)
        found: dict[str, str] = {}
        for path in paths:
            for name, status in walk.files(path):
                digest = self._contents.digest(name, status)
                found[name] = f"{digest}x" if modes and status.st_mode & 0o100 else digest
        self._ignored.update(walk.passed_over)
        return Tree(dict(sorted(found.items())))

    def keep(self) -> None:
        """Write down what was found out about names."""
        self._ignore_list.keep()


class _Walk:
    """Goes through folders."""

    def __init__(self, ignore_list: IgnoreList, root: str, links_out: bool) -> None:
        self._ignore_list = ignore_list
        self._root = root
        self._links_out = links_out
        self.passed_over: list[str] = []

    def files(self, path: str) -> Iterator[tuple[str, os.stat_result]]:
        """Every file at a path or below it, with its status."""
        try:
            status = Path(path).stat()
        except OSError:
            raise UserError(f"{path}: there is no such folder", f"git checkout {path}") from None
        if stat.S_ISDIR(status.st_mode):
            yield from self._below(path, ())
        else:
            yield path, status

    def _below(self, folder: str, above: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
        try:
            entries = list(os.scandir(folder))
        except OSError as problem:
            raise UserError(
                f"{folder} cannot be listed: {problem.strerror}", f"ls -ld {folder}"
            ) from None
        for entry in entries:
            path = f"{folder}/{entry.name}"
            is_link = entry.is_symlink()
            is_folder = entry.is_dir()
            if self._ignore_list.ignores(path, is_folder=is_folder):
                self.passed_over.append(path)
                continue
            if is_link:
                self._check_link(path)
            if is_folder:
                real = os.path.realpath(path) if is_link or above else path
                if is_link and (real in above or _is_within(f"{self._root}/{path}", real)):
                    raise UserError(
                        f"{path} is a link to a folder that it is in", "remove the link"
                    )
                yield from self._below(path, (*above, real) if is_link or above else ())
                continue
            try:
                status = entry.stat()
            except OSError:
                if is_link:
                    raise UserError(
                        f"{path} is a link to nothing", "remove it, or mend the link"
                    ) from None
                continue  # it has just gone
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path} is not a regular file", "remove it")
            yield path, status

    def _check_link(self, path: str) -> None:
        if not self._links_out and not _is_within(os.path.realpath(path), self._root):
            raise UserError(
                f"{path} is a link out of the project, to {os.path.realpath(path)}",
                "copy what it leads to into the project",
            )


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def relative(paths: Mapping[str, str], folder: str) -> dict[str, Path]:
    """Files by their path below a folder."""
    return {os.path.relpath(path, folder): Path(path) for path in paths}
