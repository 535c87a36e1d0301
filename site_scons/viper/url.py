"""URLs as they may be shown."""

from __future__ import annotations

import re


def without_userinfo(text: str) -> str:
    """A text with the user name and password taken out of every URL in it."""
    return re.sub(r"(\w+://)[^/@\s]*@", r"\1", text)
