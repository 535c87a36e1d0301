"""MicroPython's raw REPL on a device, by mpremote: calls of `viperhttp.sync`, and their answers.

mpremote reads byte by byte, which suits a prompt and not a manifest of a thousand files: it enters
the REPL and sends programs here, and answers are read in whole pieces.
"""

from __future__ import annotations

import io
import json
import re
import struct
import time
from contextlib import redirect_stdout
from types import TracebackType
from typing import TYPE_CHECKING, Any

from viper import serial_handlers
from viper.errors import UserError
from viper.serial_handlers import WriteCounter

if TYPE_CHECKING:
    from serial import Serial

MARK = b"\x02viper:"  # begins the lines of an answer (firmware/python/viperhttp/sync.py)

_BAUD = 115200  # MicroPython's console
_REOPEN_S = 3  # what a port may take to be free again after esptool
_KNOCK_S = 0.25  # an idle prompt answers sooner
_KNOCKS = 2
_BOOTING_KNOCKS = 12
_ABORT_S = 0.4  # what an interrupted build waits for the device before it resets it
_START_S = 15.0  # what the application has to come up after a reset
_QUIET_S = 10.0  # the longest silence while the device works
_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_RAW_PASTE = b"\x05A\x01"
_RAW_PASTE_ACCEPTED = b"R\x01"
_END = b"\x04"  # ends standard output, and then the error
_IMPORT = b"from viperhttp import sync"
_NO_MODULE = "ImportError"
_ESCAPED = re.compile(rb"[\0\x03\x04\n\r'\\]")


class OtherFirmware(UserError):
    """The device's firmware has no `viperhttp.sync`."""


class DeviceRepl:
    """The raw REPL of one device; a context that closes the port.

    Attributes:
        serial: the open port.
        written: counts the bytes sent.
        interrupted: whether an application was running and has been interrupted for this.
    """

    def __init__(self, url: str, again: str) -> None:
        """Open a port.

        Args:
            again: the next step after work that broke off.

        Raises:
            UserError: it cannot be opened.
        """
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        serial_handlers.register()
        try:
            with redirect_stdout(io.StringIO()):  # mpremote tells there that it waits
                self._transport = SerialTransport(url, _BAUD, wait=_REOPEN_S, timeout=_QUIET_S)
        except TransportError:
            raise UserError(f"{url} cannot be opened", again) from None
        self._again = again
        self.serial: Serial = self._transport.serial
        self.written = WriteCounter(self.serial)
        self.interrupted = False

    def __enter__(self) -> DeviceRepl:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.serial.close()

    def enter(self, starting: bool = False) -> None:
        """Bring the device to its raw REPL.

        Args:
            starting: it was reset just now, and may need time to come to its prompt.

        Raises:
            UserError: it does not answer in time.
        """
        deadline = time.monotonic() + _START_S
        knocks = _BOOTING_KNOCKS if starting else _KNOCKS
        for knock in range(1, knocks + 1):
            self.serial.write(b"\r\x01")
            if self._sees_banner(_KNOCK_S):
                self._skip_banners(knock - 1)
                break
        else:
            self.interrupted = True
            self._interrupt(deadline)
            self._skip_banners(knocks)
        self._import()

    def _interrupt(self, deadline: float) -> None:
        from mpremote.transport import TransportError

        while True:
            try:
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=1)
                return
            except TransportError:
                if time.monotonic() > deadline:
                    raise UserError(
                        "MicroPython's REPL does not answer, so its files cannot be updated",
                        "./scons flash, if it was never flashed; or see what it prints: mpremote",
                    ) from None

    def _sees_banner(self, within_s: float) -> bool:
        seen: bytes = self._transport.read_until(1, _BANNER, timeout_overall=within_s)
        return seen.endswith(_BANNER)

    def _skip_banners(self, more: int) -> None:
        """Read what may come in answer to earlier knocks, up to the prompt."""
        while more and self._sees_banner(_KNOCK_S):
            more -= 1
        self._transport.read_until(1, b">", timeout_overall=_KNOCK_S)

    def leave(self) -> None:
        """Go back to the friendly REPL; what ran before it was interrupted does not run."""
        self._transport.exit_raw_repl()

    def interrupt(self) -> None:
        """End a call that is under way, or is still being sent.

        Raises:
            UserError: the device does not answer.
        """
        self.serial.write(b"\x03\x03\r\x01")
        if not self._sees_banner(_ABORT_S):
            raise UserError("the device stopped answering", self._again)
        self._skip_banners(0)

    def run(self, program: bytes) -> str:
        """Run a program beside the application; what it prints.

        Raises:
            UserError: it raises an exception, or the device stops answering.
        """
        output, error = self._run(program)
        if error:
            raise UserError(f"the device answers {error}", self._again)
        return output.decode(errors="replace")

    def call(self, *calls: bytes) -> list[dict[str, Any]]:
        """Call functions of `viperhttp.sync` in one exchange, each as b"name(arguments)".

        Returns:
            Their answers.

        Raises:
            UserError: the device's file system is full, fails otherwise, or it stops answering.
        """
        output, error = self._run(b"\n".join(b"sync." + call for call in calls))
        if error:
            raise self._failure(error)
        answers = []
        for line in output.split(b"\r\n"):
            if line.startswith(MARK):
                try:
                    answers.append(json.loads(line.removeprefix(MARK)))
                except ValueError:
                    raise self._unreadable() from None
        return answers

    def _unreadable(self) -> UserError:
        return UserError(
            "the device's answer cannot be read; does a thread print in between?", self._again
        )

    def _import(self) -> None:
        _, error = self._run(_IMPORT)
        if error.startswith(_NO_MODULE):
            raise OtherFirmware(
                f"the device's firmware cannot sync its files ({error})", "./scons flash"
            )
        if error:
            raise self._failure(error)

    def _run(self, program: bytes) -> tuple[bytes, str]:
        """Run a program on the device: what it prints, and the last line of its error."""
        from mpremote.transport import TransportError

        try:
            self.serial.write(_RAW_PASTE)
            if self.serial.read(2) != _RAW_PASTE_ACCEPTED:
                raise TransportError("no raw paste mode")
            self._transport.raw_paste_write(program)
            output, error = self._read_answer()
        except (TransportError, struct.error) as problem:  # the latter when it falls silent
            raise UserError(
                f"the device stopped answering while its files were looked at ({problem})",
                self._again,
            ) from None
        lines = error.decode(errors="replace").strip().splitlines()
        return output, lines[-1] if lines else ""

    def _read_answer(self) -> tuple[bytes, bytes]:
        """Standard output and error of a program, up to the next prompt."""
        from mpremote.transport import TransportError

        answer = bytearray()
        while answer.count(_END) < 2 or not answer.endswith(b">"):
            piece = self.serial.read(max(1, self.serial.in_waiting))
            if not piece:
                raise TransportError("no end of its answer")
            answer += piece
        output, error, _ = bytes(answer).rsplit(_END, 2)
        return output, error

    def _failure(self, error: str) -> UserError:
        if re.search(r"\b28\b|ENOSPC", error):
            return UserError(
                "the device's file system is full: the files of this image do not fit beside "
                "what is there",
                "delete files there (mpremote connect PORT rm ...), then do this again",
            )
        return UserError(
            f"the device cannot update its files: {error}",
            "see what it prints: mpremote connect PORT",
        )


def literal(data: bytes) -> bytes:
    """Bytes as MicroPython reads them in a program: its lexer is clean for 8 bits, so that only
    what ends a literal, a line or the raw REPL's input is escaped."""
    return b"b'" + _ESCAPED.sub(lambda found: b"\\x%02x" % found[0][0], data) + b"'"


def text(value: str) -> bytes:
    """A text as MicroPython reads it in a program."""
    return literal(value.encode())[1:]
