# SPDX-License-Identifier: MIT
"""The Wi-Fi network that a device keeps: asked for, handed over, and forgotten here.

Name and password go over the serial port into the device's `nvs`, by the raw REPL, which echoes
nothing; they are in no file, no argument of a command and no message.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from viper.base.errors import UserError
from viper.device.repl import DeviceRepl, text

_JOIN_S = 30.0  # a start of MicroPython, and the 15 s that viperhttp.wifi waits
_NAME_LIMIT = 32  # bytes (IEEE 802.11)
_PASSWORD_LIMITS = range(8, 64)  # characters of a WPA2 passphrase; 64 are a key in hex
_KEY_DIGITS = 64


@dataclass(frozen=True)
class Network:
    """A network to join; its password is "" if it is open."""

    name: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what no network can be called or have as password.

        Raises:
            UserError: it is so; the password is not quoted.
        """
        if not 1 <= len(self.name.encode()) <= _NAME_LIMIT:
            raise UserError(
                f"a network's name has 1 to {_NAME_LIMIT} bytes, not {len(self.name.encode())}",
                "nothing was stored; the same again asks again",
            )
        if self.password and not (_is_passphrase(self.password) or _is_key(self.password)):
            raise UserError(
                "that is no WPA2 password: it has 8 to 63 characters of ASCII",
                "nothing was stored; the same again asks again, no password is for an open network",
            )


def hand_over(network: Network, url: str, again: str) -> str:
    """Let a device keep a network and join it.

    Args:
        url: what pyserial opens; its lock is the caller's.
        again: what the user types to try once more.

    Returns:
        What the device says of its network then, "" if nothing in time.

    Raises:
        UserError: it does not answer, or has no Wi-Fi.
    """
    keep = b"wifi.keep(%s, %s)" % (text(network.name), text(network.password))
    with DeviceRepl(url, again) as repl:
        repl.enter()
        try:
            repl.run(b"from viperhttp import wifi\n" + keep, "keep a network")
        finally:
            repl.restart()
        return repl.wait_for_line("Wi-Fi: ", _JOIN_S)


def _is_passphrase(text: str) -> bool:
    return len(text) in _PASSWORD_LIMITS and text.isascii() and text.isprintable()


def _is_key(text: str) -> bool:
    return len(text) == _KEY_DIGITS and all(digit in "0123456789abcdefABCDEF" for digit in text)
