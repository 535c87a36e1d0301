# SPDX-License-Identifier: MIT
"""The number of a file's format, for files that another version may have written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viper.base.errors import UserError


def check(file: Path, record: Mapping[str, Any], number: int, again: str) -> None:
    """See that what was read of a file is of the format that is understood here.

    Args:
        record: the JSON object in the file, whose "format" is its number.
        again: the command that makes the file anew, or finds another.

    Raises:
        UserError: it is of another format, or says none.
    """
    found = record.get("format")
    if found != number:
        told = found if isinstance(found, int) else "none"
        raise UserError(f"{file}: its format is {told}, and this version reads {number}", again)
