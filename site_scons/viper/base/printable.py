# SPDX-License-Identifier: MIT
"""Text for a terminal, whoever wrote it."""

from __future__ import annotations

import codecs
import re
import unicodedata

# Unicode's categories of what draws nothing and commands something: controls (ESC), formats (which
# turn the direction of writing), surrogates (which no terminal's encoding has), private use,
# unassigned, and separators of lines that are no line end.
_COMMANDS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,16}m)")
_BEGUN = re.compile(r"\x1b(?:\[[0-9;]{0,16})?\Z")


def printable(text: str, kept: str = "\n\t") -> str:
    r"""A text of which a terminal shows every character and obeys none: ESC becomes '\x1b'.

    Args:
        kept: what it does obey.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in kept or unicodedata.category(character) not in _COMMANDS
        else ascii(character)[1:-1]
        for character in text
    )


class Console:
    r"""What a stranger's console prints, piece by piece, made fit for a terminal.

    Colours are obeyed, as ESP-IDF's log has them, and so is what moves the cursor back in its line;
    other commands are shown, and so are bytes that are no UTF-8: '\x1b]0;', '\xff'.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._begun = ""  # of a command

    def feed(self, data: bytes) -> str:
        """The text of the next bytes; what may be the beginning of a colour waits for its end."""
        text = self._begun + self._decoder.decode(data)
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else ""
        pieces = _COLOUR.split(text.removesuffix(self._begun))
        pieces[::2] = [printable(piece, "\r\n\t\b") for piece in pieces[::2]]
        return "".join(pieces)


def excerpt(text: str, most: int = 200) -> str:
    """The first line of a text that may be long, printable, cut to what fits a message."""
    line = printable((text.strip().splitlines() or [""])[0].rstrip())
    return line if len(line) <= most else f"{line[: most - 3]}..."
