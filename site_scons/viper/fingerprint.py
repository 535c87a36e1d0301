"""What a step's result depends on besides its files: our own modules, and tools by version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_LIBRARY = Path(__file__).parent
_LOCK_FILE = _LIBRARY.parents[1] / "requirements.txt"


def fingerprint(uses: Iterable[str]) -> str:
    """A digest of all that is named.

    Args:
        uses: modules of viper by file ("gzip_asset.py") and packages of requirements.txt by name
            ("zlib-ng").
    """
    digest = hashlib.sha256()
    for name in uses:
        digest.update(_one(name))
    return digest.hexdigest()[:32]


@cache
def _one(name: str) -> bytes:
    if name.endswith(".py"):
        return hashlib.sha256((_LIBRARY / name).read_bytes()).digest()
    return f"{name}=={package_version(name)};".encode()


@cache
def package_version(name: str) -> str:
    """The version of a package that requirements.txt pins."""
    lock = _LOCK_FILE.read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(name)}==(\S+)", lock, re.MULTILINE)
    if match is None:
        raise KeyError(f"{name} is not in {_LOCK_FILE.name}")
    return match[1]
