# SPDX-License-Identifier: MIT
"""Debian's source package of MicroPython, for the virtual board where no git host can be reached.

It comes from the mirrors that apt is configured with; which one does not matter, for its sha256
is pinned. It lacks third-party submodules, so it cannot serve a real board.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError
from viper.base.url import without_userinfo
from viper.source.pins import StandInPin

_TIMEOUT_S = 20


class Unreachable(Exception):
    """No mirror could be asked, or none answered; the text says which and why, on one line."""


def fetch(pin: StandInPin, checkout: Path) -> None:
    """Download the package, check it, and unpack it as `checkout`, which must not exist.

    Raises:
        Unreachable: there is no apt, or no mirror of its has the package.
        UserError: what came is not what is pinned; the file is removed.
    """
    import tarfile

    archive = checkout.with_name(checkout.name + ".tar.xz")
    unpacked = checkout.with_name(checkout.name + ".unpacking")
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        _download(pin, archive)
        with tarfile.open(archive) as tar:
            # The content is known by its hash, so any member may be trusted.
            tar.extractall(unpacked)
        (folder,) = unpacked.iterdir()
        folder.rename(checkout)
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(unpacked, ignore_errors=True)


def _mirrors() -> list[str]:
    """The package mirrors that this machine's apt knows, in its own order."""
    try:
        listing = process.run(
            ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)"]
        )
    except (UserError, process.ToolFailed):
        raise Unreachable("this machine has no apt to name a Debian mirror") from None
    return list(dict.fromkeys(listing.split()))


def _download(pin: StandInPin, archive: Path) -> None:
    reasons = []
    for mirror in _mirrors():
        try:
            _download_from(mirror.rstrip("/") + "/" + pin.pool, pin, archive)
            return
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                raise
            reasons.append(without_userinfo(f"{mirror}: {problem}"))
    raise Unreachable("; ".join(reasons) or "apt names no mirror (sudo apt update)")


def _download_from(url: str, pin: StandInPin, archive: Path) -> None:
    from urllib.request import urlopen

    digest = hashlib.sha256()
    with (
        urlopen(url.replace("+", "%2B"), timeout=_TIMEOUT_S) as response,
        archive.open("wb") as file,
        console.progress(archive.name, pin.size) as show,
    ):
        received = 0
        while chunk := response.read(1 << 16):
            received += len(chunk)
            if received > pin.size:
                break
            digest.update(chunk)
            file.write(chunk)
            show(received)
    if received < pin.size:
        raise OSError(f"the download ended after {received} of {pin.size} bytes")
    if received > pin.size or digest.hexdigest() != pin.sha256:
        archive.unlink()
        raise UserError(
            f"{without_userinfo(url)}: sha256 {digest.hexdigest()[:16]}…, "
            f"the pin is {pin.sha256[:16]}…",
            "the file is removed; if the pin is wrong, mend nix/pins.json",
        )
