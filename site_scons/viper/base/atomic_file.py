# SPDX-License-Identifier: MIT
"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

_LINE = 500  # characters: what is told of one file stands in one
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode


def write(path: Path, data: bytes | bytearray) -> None:
    """Write `data` beside `path`, then put it in its place in one step.

    Raises:
        OSError: it cannot be written; what was at `path` is as it was.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, document: object) -> None:
    """Write a JSON document: the same document gives the same bytes, in lines that one can read."""
    write(path, "".join([*_lines(document), "\n"]).encode())


def _lines(value: object, margin: str = "\n") -> Iterator[str]:
    """A value in a line if it fits there, else what is in it, a line each: the library's own form
    with a line to every value takes many times as long.
    """
    text = _encode(value)
    if len(text) <= _LINE or not isinstance(value, (dict, list, tuple)):
        yield text
        return
    inner = f"{margin} "
    if isinstance(value, dict):
        start, end = "{}"
        items = [(f"{_encode(str(key))}: ", value[key]) for key in sorted(value)]
    else:
        start, end = "[]"
        items = [("", item) for item in value]
    for name, item in items:
        yield f"{start}{inner}{name}"
        yield from _lines(item, inner)
        start = ","
    yield f"{margin}{end}"
