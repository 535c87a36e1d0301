# SPDX-License-Identifier: MIT
"""What this graph last wrote to a device: `.viper/devices/<mac>.json`.

A stamp is a hint. It saves questions, and the chip's own MD5 decides whether it is true; one that
is missing, damaged or of another form is no stamp.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viper.base import atomic_file
from viper.base.mac import Mac
from viper.flash.sector_plan import Claim
from viper.image.ownership import Ownership
from viper.image.sectors import Run

FOLDER = Path(".viper/devices")  # in the project

_FORMAT = 1
_DIGEST = 16  # bytes of an MD5


@dataclass
class Stamp:
    """What is believed of one device.

    Attributes:
        parts: by the part's name in flash.json, what was written there.
        ownership: the files that were put into the device's file system, as it notes them itself.
        files_md5: the MD5 of the file system's partition when `ownership` was last found true of
            the device; empty if never, or if files have been sent since.
    """

    mac: Mac
    parts: dict[str, Claim] = field(default_factory=dict)
    ownership: Ownership = field(default_factory=Ownership)
    files_md5: bytes = b""


def load(folder: Path, mac: Mac) -> Stamp:
    """The stamp of a device; a blank one if there is none that can be read."""
    try:
        record = json.loads(_path(folder, mac).read_text(encoding="utf-8"))
        if record["format"] != _FORMAT or record["mac"] != mac:
            return Stamp(mac)
        return Stamp(
            mac=mac,
            parts={str(name): _claim(part) for name, part in record["parts"].items()},
            ownership=Ownership(
                {str(path): str(digest) for path, digest in record["files"].items()},
                {str(path): str(digest) for path, digest in record.get("retired", {}).items()},
                {
                    str(path): (str(one), str(other))
                    for path, (one, other) in record.get("kept", {}).items()
                },
                str(record.get("ours", "")),
            ),
            files_md5=bytes.fromhex(record["files_md5"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Stamp(mac)


def every(folder: Path) -> list[Stamp]:
    """The stamps of all devices, the latest first."""
    found = folder.glob("[0-9a-f]" * 12 + ".json")
    made = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return [load(folder, Mac(path.stem)) for path in made]


def save(folder: Path, stamp: Stamp) -> None:
    """Write a stamp in one step, so that an interruption leaves the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "format": _FORMAT,
        "mac": stamp.mac,
        "parts": {name: _record(claim) for name, claim in stamp.parts.items()},
        "files": dict(stamp.ownership.files),
        "retired": dict(stamp.ownership.retired),
        "kept": {path: list(both) for path, both in stamp.ownership.kept.items()},
        "ours": stamp.ownership.digest,
        "files_md5": stamp.files_md5.hex(),
    }
    atomic_file.write_json(_path(folder, stamp.mac), record)


def _path(folder: Path, mac: Mac) -> Path:
    return folder / f"{mac}.json"


def _record(claim: Claim) -> dict[str, Any]:
    return {
        "md5": claim.md5.hex(),
        "sectors": b64encode(b"".join(claim.sectors)).decode(),
        "settled": [[run.first, run.count, digest.hex()] for run, digest in claim.settled],
        "before": claim.before.hex(),
    }


def _claim(record: dict[str, Any]) -> Claim:
    joined = b64decode(record["sectors"], validate=True)
    return Claim(
        md5=bytes.fromhex(record["md5"]),
        sectors=tuple(joined[at : at + _DIGEST] for at in range(0, len(joined), _DIGEST)),
        settled=tuple(
            (Run(int(first), int(count)), bytes.fromhex(md5))
            for first, count, md5 in record["settled"]
        ),
        before=bytes.fromhex(record["before"]),
    )
