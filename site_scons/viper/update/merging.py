# SPDX-License-Identifier: MIT
"""The files of a device and those of an image in one new file system.

By the rules of a sync: what is noted as ours makes way for the image's files, all else stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viper.base.mac import Mac
from viper.flash.writing import Image
from viper.image import ownership
from viper.image.ownership import Line, Ownership
from viper.sync import file_plan, transfer
from viper.sync.file_plan import Found
from viper.sync.theirs import Theirs

_INTENT = f"{ownership.FOLDER}/intent"


@dataclass(frozen=True)
class Keeping:
    """What decides whose a file is, beside the device's own note."""

    theirs: Theirs
    known: Sequence[Mapping[str, str]]  # sha256 by path, of what may have been put on the device
    command: str  # what the user types for this work


@dataclass(frozen=True)
class Merged:
    """The files of a new file system."""

    contents: Mapping[str, bytes]  # by path
    own: frozenset[str]  # those that are the device's


def merge(saved: Mapping[str, bytes], image: Image, fs: str, keeping: Keeping) -> Merged:
    """Put the files of a device and those of an image together.

    Args:
        saved: all files that the device has.
        fs: the new file system.

    Raises:
        UserError: a file of the user's is where one of the image's is to be.
    """
    there = {path: content for path, content in saved.items() if not ownership.is_note(path)}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in there.items()}
    noted = _noted(saved)
    known = [note.known() for note in noted] or keeping.known
    ours = {
        path: digest
        for path, digest in digests.items()
        if any(files.get(path) == digest for files in known)
    }
    # What was noted and is not as it was noted has been edited.
    ours |= {path: sha for note in noted for path, sha in note.files.items() if path not in ours}
    note = Ownership(ours, kept=noted[-1].kept) if noted else Ownership()
    found = Found("", Mac("0" * 12), fs, 0, serving=False, ownership=note, files=digests)
    plan = file_plan.plan(image.files, ours, found, keeping.theirs, delete=True)
    transfer.refuse_conflicts(plan.conflicts, keeping.command)
    return _carried_out(plan, there, image, note)


def _noted(saved: Mapping[str, bytes]) -> list[Ownership]:
    """What a device has noted, and what it would have had a sync not been cut off."""
    if ownership.PATH not in saved:
        return []
    done = sorted(path for path in saved if path.startswith(f"{ownership.PATH}."))
    records = [
        line.split("\t")
        for path in (ownership.PATH, *done)
        for line in saved[path].decode(errors="replace").splitlines()
    ]
    try:
        notes = [ownership.of_lines(records, "")]
        intent = saved.get(_INTENT, b"").decode(errors="replace").splitlines()
        records += [line.split("\t") for line in intent]
        return [*notes, ownership.of_lines(records, "")]
    except ValueError:
        return []  # damaged: what builds and stamps know has to do


def _carried_out(
    plan: file_plan.SyncPlan, there: Mapping[str, bytes], image: Image, note: Ownership
) -> Merged:
    after = note.after(plan.intent, "")
    gone = {path for path, _ in (*plan.cleared, *plan.removed)} | {*plan.gone, *after.files}
    own = dict(there)
    for old, new in plan.respelt:
        own = {ownership.renamed(path, old, new): content for path, content in own.items()}
    own = {path: content for path, content in own.items() if path not in gone}
    ours = {path: file for path, file in image.files.items() if path not in own}
    records: list[Line] = [
        ("=", path, ours[path].sha256) for path in sorted({*ours} & {*image.ours})
    ]
    records += [("!", path, *both) for path, both in sorted(after.kept.items())]
    contents = {path: file.source.read_bytes() for path, file in ours.items()}
    note_file = {ownership.PATH: ownership.encode(records)}
    return Merged({**own, **contents, **note_file}, frozenset(own))
