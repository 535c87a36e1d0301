# SPDX-License-Identifier: MIT
"""Text for a terminal, whoever wrote it."""

from __future__ import annotations

import unicodedata

# Unicode's categories of what draws nothing and commands something: controls (ESC), formats (which
# turn the direction of writing), surrogates (which no terminal's encoding has), private use,
# unassigned, and separators of lines that are no line end.
_COMMANDS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


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


def excerpt(text: str, most: int = 200) -> str:
    """The first line of a text that may be long, printable, cut to what fits a message."""
    line = printable((text.strip().splitlines() or [""])[0].rstrip())
    return line if len(line) <= most else f"{line[: most - 3]}..."
