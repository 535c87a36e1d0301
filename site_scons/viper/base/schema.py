# SPDX-License-Identifier: MIT
"""What a device answers, read as a stranger's words: each value of its kind and within its bounds.

status = schema.read(content)
build, chunk = status.word("build"), status.number("chunk", 1, 1 << 20)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from viper.base.mac import Mac

_TEXT_MAX = 200  # characters
_NUMBER_MAX = (1 << 63) - 1


class Nonsense(ValueError):
    """An answer that is not what was asked for; the text says why, without quoting it."""


class Record:
    """A JSON object of a device, whose values are taken by kind.

    Every method raises Nonsense for a value that is missing, or is of another kind.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Nonsense("it is no object")
        self._values = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, most: int = _TEXT_MAX) -> str:
        """A text of at most so many characters."""
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > most:
            raise Nonsense(f"its '{name}' is no text of up to {most} characters")
        return value

    def word(self, name: str, most: int = 64) -> str:
        """A text of letters, digits and '._+-' alone, one at least."""
        value = self._values.get(name)
        if not isinstance(value, str) or not re.fullmatch(rf"[A-Za-z0-9._+-]{{1,{most}}}", value):
            raise Nonsense(f"its '{name}' is no word")
        return value

    def digits(self, name: str, count: int) -> str:
        """A text of so many hex digits, lower case."""
        value = self._values.get(name)
        if not isinstance(value, str) or not re.fullmatch(rf"[0-9a-f]{{{count}}}", value):
            raise Nonsense(f"its '{name}' is no text of {count} hex digits")
        return value

    def mac(self, name: str) -> Mac:
        """A MAC address."""
        try:
            return Mac(self._values.get(name))
        except ValueError as problem:
            raise Nonsense(f"its '{name}' is none: {problem}") from None

    def number(self, name: str, least: int = 0, most: int = _NUMBER_MAX) -> int:
        """A whole number within bounds."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Nonsense(f"its '{name}' is no whole number from {least} to {most}")
        return value

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise Nonsense(f"its '{name}' is neither true nor false")
        return value

    def texts(self, name: str, count: int, most: int = _TEXT_MAX) -> list[str]:
        """A list of at most so many texts, each of at most so many characters."""
        values = self._values.get(name)
        if not isinstance(values, list) or len(values) > count:
            raise Nonsense(f"its '{name}' is no list of up to {count}")
        if any(not isinstance(value, str) or len(value) > most for value in values):
            raise Nonsense(f"its '{name}' has more than texts of up to {most} characters")
        return values

    def record(self, name: str) -> Record:
        """Another object."""
        try:
            return Record(self._values.get(name))
        except Nonsense:
            raise Nonsense(f"its '{name}' is no object") from None

    def is_null(self, name: str) -> bool:
        """Whether a value is there, and is null."""
        return name in self._values and self._values[name] is None

    def numbers(self, most: int = 100) -> dict[str, int]:
        """All its values that are whole numbers, by name; what else there is, is left out."""
        if len(self._values) > most:
            raise Nonsense(f"it has more than {most} values")
        return {
            name: value
            for name, value in self._values.items()
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _NUMBER_MAX
        }


def read(content: bytes | str) -> Record:
    """Read a JSON object.

    Raises:
        Nonsense: it is none.
    """
    try:
        return Record(json.loads(content))
    except (ValueError, RecursionError) as problem:
        if isinstance(problem, Nonsense):
            raise
        raise Nonsense("it is no JSON") from None


def read_lines(content: bytes) -> Iterator[Record]:
    """Read a JSON object from each line.

    Raises:
        Nonsense: a line is none.
    """
    for line in content.splitlines():
        yield read(line)
