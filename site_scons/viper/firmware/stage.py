# SPDX-License-Identifier: MIT
"""Files brought together by content, for tools that go by time.

make and ninja take a file for unchanged whose time is old, whoever set it. In the stage a file is
written when its content is another, and only then, so that its time says what it seems to say; and
nobody edits there while a build goes on. Copies, never links: the originals are a person's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from pathlib import Path

from viper.base.contents import Contents
from viper.base.errors import UserError

_RUN = "x"  # after the digest of what may be run


def sync(
    stage: Path,
    originals: Mapping[str, str],
    digests: Mapping[str, str],
    contents: Contents,
    but: Set[str] = frozenset(),
) -> dict[str, str]:
    """Make a folder hold these files and no others, writing only what differs.

    Args:
        originals: the file that each is a copy of, by its path in the stage.
        digests: the content that each had when it was looked at (`tree.Tree.files`).
        but: names of folders in the stage that are left alone.

    Returns:
        The digest of each as it stands in the stage: a file that has changed meanwhile is there as
        it is now.

    Raises:
        UserError: a file has gone meanwhile.
        OSError: the stage cannot be written.
    """
    _remove_others(stage, originals, but)
    return {
        path: _bring(stage / path, original, digests[path], contents)
        for path, original in originals.items()
    }


def _bring(target: Path, original: str, digest: str, contents: Contents) -> str:
    may_run = digest.endswith(_RUN)
    if _stands(target, digest.removesuffix(_RUN), may_run, contents):
        return digest
    try:
        content, found = contents.content(original)
    except FileNotFoundError:
        raise UserError(f"{original} has gone while it was read", "the same again") from None
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.write_bytes(content)
    unfinished.chmod(0o755 if may_run else 0o644)
    unfinished.replace(target)
    contents.wrote(str(target), found)
    return found + _RUN * may_run


def _stands(target: Path, digest: str, may_run: bool, contents: Contents) -> bool:
    try:
        status = target.lstat()
        return (
            contents.digest(str(target), status) == digest
            and bool(status.st_mode & 0o100) == may_run
        )
    except OSError:
        return False


def _remove_others(stage: Path, wanted: Mapping[str, str], but: Set[str]) -> None:
    emptied = []
    for parent, folders, names in os.walk(stage):
        folders[:] = [name for name in folders if name not in but]
        here = os.path.relpath(parent, stage)
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in [*names, *links]:
            if os.path.normpath(f"{here}/{name}") not in wanted:
                Path(parent, name).unlink()
        emptied.append(Path(parent))
    for folder in reversed(emptied):
        if folder != stage and not any(folder.iterdir()):
            folder.rmdir()
