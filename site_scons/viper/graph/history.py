# SPDX-License-Identifier: MIT
"""The builds of a board, kept by their ids, small, so that two of them can be compared.

build/<BOARD>/build.json: {"format": 1, "id": …, "board": …, "build": …, "app": {…},
"assets": "sha256", "files": {…}, "images": {…}}, every input's digest, and those of what came of
them.
build/<BOARD>/builds/<id>.json: build.json as it was, and under "sizes" what viper.graph.sizes
measured. The id is the digest of all of build.json; its "build" is that of the firmware's inputs
alone, which the firmware itself shows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from viper.base import atomic_file, formats
from viper.base.errors import UserError

FORMAT = 1
_KEPT = 100  # builds; the oldest go
_LEAST_DIGITS = 4


def identity(record: Mapping[str, Any]) -> str:
    """The id of a build: 16 hexadecimal digits over all that build.json says but the id."""
    text = json.dumps({name: record[name] for name in sorted(record) if name != "id"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(record: Path) -> dict[str, Any]:
    """What build.json says of a build.

    Raises:
        UserError: it is of another format.
    """
    build: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    formats.check(record, build, FORMAT, "make it again: ./scons")
    return build


def keep(folder: Path, record: Mapping[str, Any], sizes: Mapping[str, Any]) -> None:
    """Keep a build as the newest."""
    folder.mkdir(exist_ok=True)
    atomic_file.write_json(folder / f"{record['id']}.json", {**record, "sizes": sizes})
    for old in _newest_first(folder)[_KEPT:]:
        old.unlink(missing_ok=True)


def load(folder: Path, digits: str) -> dict[str, Any]:
    """The newest build whose id, or whose firmware's, begins with some digits.

    Raises:
        UserError: there is none.
    """
    if len(digits) >= _LEAST_DIGITS:
        for build in all_builds(folder):
            if build["id"].startswith(digits) or build["build"].startswith(digits):
                return build
    known = ", ".join(build["id"][:8] for build in islice(all_builds(folder), 5))
    raise UserError(f"no build '{digits}' is kept", f"the newest: {known or 'none; ./scons'}")


def all_builds(folder: Path) -> Iterator[dict[str, Any]]:
    """Every build that is kept and can be read, the newest first; none of another format."""
    for path in _newest_first(folder):
        try:
            build = read(path)
            if build["id"] == path.stem and "build" in build and "sizes" in build:
                yield build
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
            continue


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two builds, input by input, and what came of it, a line for each."""
    lines = []
    before, now = _flat(old), _flat(new)
    for name in sorted({*before, *now}):
        was, became = before.get(name), now.get(name)
        if was == became:
            continue
        if was is None:
            lines.append(f"{name}  new")
        elif became is None:
            lines.append(f"{name}  gone")
        elif _is_digest(was) or _is_digest(became):
            lines.append(f"{name}  changed")
        else:
            lines.append(f"{name}  {was} → {became}")
    return lines


def _flat(build: Mapping[str, Any]) -> dict[str, str]:
    """Inputs and outputs by the names that a person knows them by."""
    app = build["app"]
    found = {f"MicroPython {name}": str(value) for name, value in app["micropython"].items()}
    found |= {str(name): str(value) for name, value in app["toolchain"].items()}
    found |= {str(name): str(int(value)) for name, value in app["settings"].items()}
    found |= app["files"]
    found |= {f"on the device: {path}": entry["sha256"] for path, entry in build["files"].items()}
    return found | {f"image of {name}": digest for name, digest in build["images"].items()}


def _is_digest(text: str) -> bool:
    return len(text) in (40, 64) and set(text) <= set("0123456789abcdef")


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), key=os.path.getmtime, reverse=True)
