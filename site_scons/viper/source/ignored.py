# SPDX-License-Identifier: MIT
"""What is in a folder of sources and is no source: what editors and systems leave there.

One list for all that reads the project's folders: what is ignored is not compiled, not shipped and
not watched. It is in the syntax of .gitignore (pathspec reads it), and a project adds its own lines
in `.viperignore`, in its root, after these: `!name` takes one back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from viper.base import atomic_file
from viper.base.errors import UserError

FILE = Path(".viperignore")

DEFAULTS = (
    # systems
    ".DS_Store", "._*", "Thumbs.db", "desktop.ini", ".directory", ".Trash-*/", ".nfs*",
    # editors: copies, locks and what is not saved yet
    "*~", "#*#", ".#*", "*.sw[a-p]", ".*.sw?", "*.kate-swp", ".~lock.*#", "*___jb_tmp___",
    "*___jb_old___", "4913", ".idea/", ".vscode/",
    # version control, and what Python leaves
    ".git", ".gitignore", ".gitattributes", ".gitkeep", ".hg/", ".svn/", "__pycache__/",
    "*.py[cod]",
)  # fmt: skip


class IgnoreList:
    """The list as it stands, and what it has said of each path, which a file remembers."""

    def __init__(self, remembered: Path) -> None:
        """Reads the list.

        Raises:
            UserError: .viperignore cannot be read.
        """
        self._text = _text()
        self._file = remembered
        self._digest = hashlib.sha256(self._text.encode()).hexdigest()
        self._said = self._remembered()
        self._is_new = False
        self._match: Callable[[str], bool] | None = None

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path, relative to the project's root, is passed over, with all below it.

        Raises:
            UserError: a line of .viperignore is no pattern.
        """
        name = f"{path}/" if is_folder else path
        said = self._said.get(name)
        if said is None:
            if self._match is None:
                self._match = _matcher(self._text)
            said = self._said[name] = self._match(name)
            self._is_new = True
        return said

    def keep(self) -> None:
        """Write down what is new.

        Raises:
            OSError: it cannot be written.
        """
        if self._is_new and self._file.parent.is_dir():
            document = json.dumps({"list": self._digest, "said": self._said})
            atomic_file.write(self._file, document.encode())
            self._is_new = False

    def _remembered(self) -> dict[str, bool]:
        try:
            document = json.loads(self._file.read_bytes())
            if document["list"] == self._digest:
                return dict(document["said"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return {}


def _text() -> str:
    # "#" begins a comment there.
    lines = [f"\\{line}" if line.startswith("#") else line for line in DEFAULTS]
    try:
        own = FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        own = ""
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f".viperignore cannot be read: {problem}", "mend or remove it") from None
    return "\n".join([*lines, own])


def _matcher(text: str) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec  # 60 ms, which a run that finds nothing new does without

    try:
        spec = GitIgnoreSpec.from_lines(text.splitlines())
    except ValueError as problem:
        raise UserError(
            f".viperignore has no pattern in a line: {problem}", "mend that line"
        ) from None
    return spec.match_file
