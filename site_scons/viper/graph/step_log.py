# SPDX-License-Identifier: MIT
"""What each step was last made from and how long it took, to explain the graph: never an input.

build/<BOARD>/steps.json:

    {"inputs": {"1f0c…": {"level": "6", "zlib-ng": "0.5.1", "viper.image.gzip_asset": "…"}},
     "steps": {"build/…/app.js.gz": {"seconds": 0.01, "inputs": "1f0c…", "lines": {}}}}

Steps name their inputs by a digest, for thousands share them. "lines" has, of each table that the
step reads, a checksum of every line. A log that is lost or old costs only an explanation.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from viper.base import atomic_file
from viper.source.tree import Tree

_TABLES = (".csv",)  # whose lines are worth telling apart
_LONG = 60  # characters; a longer value is told by its digest
DIGEST_MARK = "#"


class StepLog:
    """The log of one board's build folder. Any thread may add to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ran: dict[str, tuple[float, Mapping[str, str], dict[str, list[int]]]] = {}
        self._lock = threading.Lock()

    def ran(
        self, target: str, seconds: float, inputs: Mapping[str, str], sources: Iterable[Path]
    ) -> None:
        """Note a step that has just been done.

        Args:
            target: the first file that it makes, by its path.
            seconds: what it took.
            inputs: what it depends on besides files, by name (see `flat`).
            sources: the files that it read.
        """
        lines = {str(path): checksums(path) for path in sources if path.suffix in _TABLES}
        with self._lock:
            self._ran[target] = (seconds, inputs, lines)

    def save(self) -> None:
        """Add the steps of this run to the file, if there were any."""
        if not self._ran:
            return
        log = load(self._path)
        for target, (seconds, inputs, lines) in self._ran.items():
            text = json.dumps(inputs, sort_keys=True)
            name = hashlib.sha256(text.encode()).hexdigest()[:16]
            log["inputs"][name] = dict(inputs)
            log["steps"][target] = {"seconds": round(seconds, 3), "inputs": name, "lines": lines}
        named = {step["inputs"] for step in log["steps"].values()}
        log["inputs"] = {name: log["inputs"][name] for name in log["inputs"] if name in named}
        if self._path.parent.is_dir():
            atomic_file.write_json(self._path, log)


def load(path: Path) -> dict[str, dict[str, dict[str, object]]]:
    """What the file says; an empty log if there is none, or none that can be read."""
    try:
        log = json.loads(path.read_text(encoding="utf-8"))
        steps = {
            target: step
            for target, step in log["steps"].items()
            if isinstance(step, dict) and step.get("inputs") in log["inputs"]
        }
        return {"inputs": log["inputs"], "steps": steps}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"inputs": {}, "steps": {}}


def flat(values: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Values by dotted name as short texts; what is long is told by its digest."""
    result: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Tree):
            result |= {path: _digest(digest) for path, digest in value.files.items()}
            continue
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{name}.")
        else:
            text = str(value)
            result[f"{prefix}{name}"] = text if len(text) <= _LONG else _digest(text)
    return result


def checksums(path: Path) -> list[int]:
    """A checksum of each line of a file; none if it cannot be read."""
    try:
        return [zlib.crc32(line) for line in path.read_bytes().splitlines()]
    except OSError:
        return []


def _digest(text: str) -> str:
    return DIGEST_MARK + hashlib.sha256(text.encode()).hexdigest()[:16]
