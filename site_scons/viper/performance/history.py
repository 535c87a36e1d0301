# SPDX-License-Identifier: MIT
"""The folder of all runs: perf_<time>_<tag>.json and .md, and the last complete one as latest.json.

Records are written whole or not at all, and never changed. One that failed or was interrupted is
kept for reading, does not become the latest, and is compared with nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from viper.base import atomic_file
from viper.base.errors import UserError, nearest
from viper.performance.record import COMPLETE, Record, from_document

LATEST = "latest.json"


@dataclass(frozen=True)
class Baseline:
    """What a run is compared with.

    Attributes:
        record: None if there is nothing to compare with.
        why: what kept a newer or wanted run from being it, on one line each.
    """

    record: Record | None
    why: tuple[str, ...] = ()


class History:
    """All complete runs, oldest first.

    Raises:
        UserError: a record, or latest.json, cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        read = [_read(path) for path in sorted(folder.glob("perf_*.json"))]
        self.records = [item for item in read if item.state == COMPLETE]
        if (folder / LATEST).exists():
            _read(folder / LATEST)

    def save(self, record: Record, text: str) -> Path:
        """Keep a run, and what people read of it; a complete one becomes the latest.

        Returns:
            Its file.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        time = record.started.replace("-", "").replace(":", "")
        stem = f"perf_{time}_{record.tag}"
        number = 1
        while (self.folder / f"{stem}.json").exists():  # another one of the same second
            number += 1
            stem = f"perf_{time}_{record.tag}.{number}"
        path = self.folder / f"{stem}.json"
        atomic_file.write(self.folder / f"{stem}.md", text.encode())
        atomic_file.write_json(path, record.document())
        if record.state == COMPLETE:
            atomic_file.write_json(self.folder / LATEST, record.document())
        return path

    def require(self, tag: str) -> None:
        """Make sure that there is a run of this tag.

        Raises:
            UserError: there is none.
        """
        tags = list(dict.fromkeys(record.tag for record in self.records))
        if tag not in tags:
            raise UserError(
                f"no run is tagged '{tag}'{nearest(tag, tags)}",
                f"{self.folder} has {', '.join(tags)}" if tags else f"{self.folder} has no runs",
            )

    def baseline(self, record: Record, tag: str = "") -> Baseline:
        """The newest run that this one may be compared with, of a tag if one is given."""
        why: list[str] = []
        for candidate in reversed(self.records):
            if tag and candidate.tag != tag:
                continue
            differences = unlike(record, candidate)
            if not differences:
                return Baseline(candidate, tuple(why))
            why.append(f"not compared with {candidate.label}: {'; '.join(differences)}")
            if tag or len(why) == 3:  # the older ones will hardly be wanted
                break
        return Baseline(None, tuple(why))

    def like(self, record: Record) -> list[Record]:
        """The runs that this one may be compared with, oldest first."""
        return [item for item in self.records if not unlike(record, item)]


def unlike(record: Record, other: Record) -> list[str]:
    """What makes two runs incomparable, in words; nothing if they are alike."""
    differences = []
    if _device(record) != _device(other):
        differences.append(f"another device ({_device(other)})")
    if record.host != other.host:
        name = other.host.get("name", "")
        differences.append(
            f"measured by another computer ({name})"
            if name != record.host.get("name")
            else "measured by another Python or system"
        )
    ours, theirs = record.parameters, other.parameters
    for key in ("runs", "burst_s", "long_s"):
        if ours[key] != theirs.get(key):
            differences.append(f"{key} was {theirs.get(key)}, not {ours[key]}")
    if ours["profiles"] != theirs.get("profiles"):
        profiles = theirs.get("profiles", {})
        changed = [
            name for name in ours["profiles"] if ours["profiles"][name] != profiles.get(name)
        ]
        missing = [name for name in profiles if name not in ours["profiles"]]
        differences.append(f"other profiles ({', '.join(changed + missing)})")
    return differences


def _device(record: Record) -> str:
    """The MAC, or the address of a device that does not tell it."""
    return record.device.get("mac") or record.address


def _read(path: Path) -> Record:
    try:
        return from_document(json.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}") from None
    except ValueError as problem:
        raise UserError(
            f"{path} cannot be read: {problem}", "mend it, or move it out of the folder"
        ) from None
