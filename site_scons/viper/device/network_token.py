# SPDX-License-Identifier: MIT
"""The token by which a device knows who may change it over the network.

It is made here, at random. The device gets its SHA-256 over the serial port; the token itself stays
with this user, outside the tree: `~/.local/state/viperhttp/tokens/<mac>`, in a folder of mode 0700.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from viper.base import atomic_file
from viper.base.mac import Mac
from viper.device.repl import DeviceRepl

ON_DEVICE = "/device.token"  # where a device keeps the token's SHA-256, which is worth as much


def folder() -> Path:
    """Where the tokens are."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "viperhttp/tokens"


def load(mac: Mac) -> str | None:
    """The token of a device, None if there is none here.

    Args:
        mac: 12 hex digits, lower case; anything else has no token.
    """
    if not re.fullmatch("[0-9a-f]{12}", mac):
        return None
    try:
        return (folder() / mac).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def give(url: str, again: str) -> str:
    """Give a device a new token, in place of any that it had, and start its application again.

    Args:
        url: what pyserial opens; its lock is the caller's.
        again: what the user types to try once more.

    Returns:
        The device's MAC, 12 hex digits.

    Raises:
        UserError: the device does not answer, or its firmware knows no tokens.
    """
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    program = f"from viperhttp import device_token\nprint(device_token.keep({digest!r}))"
    with DeviceRepl(url, again) as repl:
        repl.enter()
        try:
            mac = repl.run(program.encode(), "take a token").strip()[-12:]
        finally:
            repl.restart()
    path = folder() / mac
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_file.write(path, f"{token}\n".encode())
    return mac
