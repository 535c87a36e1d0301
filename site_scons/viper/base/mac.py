# SPDX-License-Identifier: MIT
"""A device's MAC address, by which it is known."""

from __future__ import annotations

import re


class Mac(str):
    """Twelve hex digits, lower case: one that exists has been checked.

    Files and folders are named by it, so that what a device tells is no name before it is a Mac.

    Raises:
        ValueError: the text is something else.
    """

    __slots__ = ()

    def __new__(cls, text: object) -> Mac:
        """Take a text for a MAC address.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(text, str) or re.fullmatch("[0-9a-f]{12}", text) is None:
            raise ValueError("a MAC address has 12 hex digits")
        return super().__new__(cls, text)
