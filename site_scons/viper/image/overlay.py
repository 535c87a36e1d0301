# SPDX-License-Identifier: MIT
"""How an image says that it is for an emulator: its version and its build id name the overlay.

The chip's ROM takes an image for its own chip alone, so the header cannot tell one from the other.
"""

from __future__ import annotations

BUILD_LENGTH = 16  # characters of a build id

_OF_VERSION = ":"  # behind the overlay; git has it in no tag, of which versions are made
_OF_BUILD = "_"  # likewise; a digest has none


def version(plain: str, overlay: str) -> str:
    """The version that an application description has, of an image with an overlay or with ""."""
    return f"{overlay}{_OF_VERSION}{plain}" if overlay else plain


def build(digest: str, overlay: str) -> str:
    """The build id of an image with an overlay or with "": digits of its inputs' digest."""
    return (f"{overlay}{_OF_BUILD}{digest}" if overlay else digest)[:BUILD_LENGTH]


def of_version(text: str) -> str:
    """The overlay that a version names; "" if it is that of an image for the board itself."""
    return _before(_OF_VERSION, text)


def of_build(text: str) -> str:
    """The same of a build id."""
    return _before(_OF_BUILD, text)


def _before(mark: str, text: str) -> str:
    overlay, found, _ = text.partition(mark)
    return overlay if found else ""
