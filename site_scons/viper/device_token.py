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

from viper import atomic_file, serial_handlers
from viper.errors import UserError

_BAUD = 115200  # MicroPython's console
_OPEN_S = 3  # what a port may take to be free
_START_S = 15.0  # what MicroPython may take to come up
_ANSWER_S = 10.0
_SOFT_RESET = b"\x02\x04"  # leave the raw REPL, then Ctrl-D: boot.py and main.py run


def folder() -> Path:
    """Where the tokens are."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "viperhttp/tokens"


def load(mac: str) -> str | None:
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
    mac = _run(url, program, again).strip()[-12:]
    path = folder() / mac
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_file.write(path, f"{token}\n".encode())
    return mac


def _run(url: str, program: str, again: str) -> str:
    from mpremote.transport import TransportError, TransportExecError
    from mpremote.transport_serial import SerialTransport

    serial_handlers.register()
    try:
        transport = SerialTransport(url, _BAUD, wait=_OPEN_S, timeout=_ANSWER_S)
    except TransportError:
        raise UserError(f"{url} cannot be opened", again) from None
    try:
        transport.enter_raw_repl(soft_reset=False, timeout_overall=_START_S)
        output: bytes = transport.exec(program)
        return output.decode(errors="replace")
    except TransportExecError as error:
        lines = error.error_output.strip().splitlines() or ["it failed without a word"]
        raise UserError(f"the device does not take a token: {lines[-1]}", "./scons flash") from None
    except TransportError as error:
        raise UserError(f"MicroPython's REPL does not answer ({error})", again) from None
    finally:
        transport.serial.write(_SOFT_RESET)
        transport.serial.close()
