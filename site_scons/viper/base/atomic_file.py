# SPDX-License-Identifier: MIT
"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import json
import os
from pathlib import Path


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
    """Write a JSON document: the same document gives the same bytes, one value to a line."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write(path, text.encode() + b"\n")
