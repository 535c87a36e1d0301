# SPDX-License-Identifier: MIT
"""MicroPython's raw REPL on a device, by mpremote: programs run beside the application.

mpremote reads byte by byte, which suits a prompt and not a manifest of a thousand files: it enters
the REPL and sends programs here, and answers are read in whole pieces. Nothing that is sent is
echoed by the device, or shown here.
"""

from __future__ import annotations

import io
import re
import struct
import time
from contextlib import redirect_stdout
from types import TracebackType
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.ports import serial_urls
from viper.ports.serial_line import CONSOLE_BAUD
from viper.ports.serial_urls import WriteCounter

if TYPE_CHECKING:
    from serial import Serial

_REOPEN_S = 3  # what a port may take to be free again after esptool
_KNOCK_S = 0.25  # an idle prompt answers sooner
_KNOCKS = 2
_BOOTING_KNOCKS = 12
_ABORT_S = 0.4  # what an interrupted build waits for the device before it resets it
_START_S = 15.0  # what the application has to come up after a reset
_QUIET_S = 10.0  # the longest silence while the device works, until it is asked whether it does
_SENDINGS = 3  # of a program on a line that loses bytes
_ANSWER_S = 3600.0  # from a program to the end of what it prints; it may compress a large site
_ANSWER_SIZE = 16 << 20  # bytes; a manifest has some
_PRINTED_S = 0.1  # what a read waits for what the application prints
_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_RAW_PASTE = b"\x05A\x01"
_RAW_PASTE_ACCEPTED = b"R\x01"
_END = b"\x04"  # ends standard output, and then the error
_PROMPT = _END + b">"
_ANSWER = re.compile(rb"(.*?)\x04([^\x04]*)\x04>", re.DOTALL)
_KNOCK = b"\r\x01"
_SOFT_RESET = b"\x02\x04"  # leave the raw REPL, then Ctrl-D: boot.py and main.py run
_ESCAPED = re.compile(rb"[\0\x03\x04\n\r'\\]([0-7]?)")
_ESCAPES = {b"\n": rb"\n", b"\r": rb"\r", b"'": rb"\'", b"\\": rb"\\"}


class NoPrompt(UserError):
    """The device does not come to its prompt: its program lets nobody in, or there is none."""


class DeviceRepl:
    """The raw REPL of one device; a context that closes the port.

    Attributes:
        serial: the open port.
        written: counts the bytes sent.
        again: the next step after work that broke off.
        interrupted: whether an application was running and has been interrupted for this.
    """

    def __init__(self, url: str, again: str) -> None:
        """Open a port.

        Args:
            url: what pyserial opens; its lock is the caller's.

        Raises:
            UserError: it cannot be opened.
        """
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        serial_urls.register()
        try:
            with redirect_stdout(io.StringIO()):  # mpremote tells there that it waits
                self._transport = SerialTransport(
                    url, CONSOLE_BAUD, wait=_REOPEN_S, timeout=_QUIET_S
                )
        except TransportError:
            raise UserError(f"{url} cannot be opened", again) from None
        self.serial: Serial = self._transport.serial
        self.written = WriteCounter(self.serial)
        self.again = again
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

    def enter(self, starting: bool = False, within_s: float = _START_S) -> None:
        """Bring the device to its raw REPL.

        Args:
            starting: it was reset just now, and may need time to come to its prompt.
            within_s: how long a program may take to let itself be interrupted.

        Raises:
            NoPrompt: it does not answer in time.
        """
        self.interrupted = False
        deadline = time.monotonic() + within_s
        knocks = _BOOTING_KNOCKS if starting else _KNOCKS
        for knock in range(1, knocks + 1):
            self.serial.write(_KNOCK)
            if self._sees_banner(_KNOCK_S):
                self._skip_banners(knock - 1)
                return
        self.interrupted = True
        self._interrupt(deadline)
        self._skip_banners(knocks)

    def _interrupt(self, deadline: float) -> None:
        from mpremote.transport import TransportError

        while True:
            try:
                with redirect_stdout(io.StringIO()):  # mpremote tells there what it has seen
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=1)
                return
            except TransportError:
                if time.monotonic() > deadline:
                    raise NoPrompt(
                        "MicroPython's REPL does not answer",
                        "./scons flash puts the application there, and keeps your files; "
                        "./scons monitor shows what it prints",
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

    def restart(self) -> None:
        """Leave, and start the application again without a reset of the chip."""
        self.serial.write(_SOFT_RESET)

    def wait_for_line(self, beginning: str, within_s: float) -> str:
        """Wait for a line that the application prints.

        Returns:
            The line; "" if it does not come in time.
        """
        self.serial.timeout = _PRINTED_S
        seen = bytearray()
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            seen += self.serial.read(max(1, self.serial.in_waiting))
            for line in seen.decode(errors="replace").splitlines(keepends=True):
                if line.startswith(beginning) and line.endswith("\n"):
                    return line.strip()
        return ""

    def forget_printed(self) -> None:
        """Drop what the device has printed while nobody read.

        Raises:
            OSError: the port is gone.
        """
        self.serial.read(self.serial.in_waiting)

    def interrupt(self) -> None:
        """End a call that is under way, or is still being sent.

        Raises:
            UserError: the device does not answer.
        """
        self.serial.write(b"\x03\x03\r\x01")
        if not self._sees_banner(_ABORT_S):
            raise UserError("the device stopped answering", self.again)
        self._skip_banners(0)

    def run(self, program: bytes, purpose: str) -> str:
        """Run a program beside the application; what it prints.

        Args:
            purpose: what the device does not do if it fails: "take a token".

        Raises:
            UserError: it raises an exception, or the device stops answering.
        """
        output, error = self.execute(program)
        if error:
            raise UserError(f"the device does not {purpose}: {error}", "./scons flash")
        return output.decode(errors="replace")

    def execute(self, program: bytes) -> tuple[bytes, str]:
        """Run a program: what it prints, and the last line of its error.

        A line may deliver late, in pieces, and not all: what is not of this exchange is skipped, a
        program that has not come whole is sent again, and silence alone is no end.

        Raises:
            UserError: the device stops answering.
        """
        from mpremote.transport import TransportError

        try:
            self._send(program)
            output, error = self._read_answer()
        except (TransportError, struct.error) as problem:  # the latter when it falls silent
            raise UserError(
                f"the device's REPL stopped answering ({problem})",
                self.again,
            ) from None
        lines = error.decode(errors="replace").strip().splitlines()
        return output, lines[-1] if lines else ""

    def _send(self, program: bytes) -> None:
        """Send a program until the device has it; it does not run before it is whole."""
        from mpremote.transport import TransportError

        for sending in range(1, _SENDINGS + 1):
            before = self.written.bytes
            try:
                self._begin_paste()
                self._transport.raw_paste_write(program)
                return
            except (TransportError, struct.error):
                is_whole = self.written.bytes - before == len(_RAW_PASTE + program + _END)
                if is_whole or sending == _SENDINGS:
                    raise
                self._give_up_paste()

    def _begin_paste(self) -> None:
        """Go into raw paste mode, past what is left of earlier answers."""
        from mpremote.transport import TransportError

        self.serial.write(_RAW_PASTE)
        deadline = time.monotonic() + _QUIET_S
        seen = self.serial.read(len(_RAW_PASTE_ACCEPTED))
        while not seen.endswith(_RAW_PASTE_ACCEPTED):
            byte = self.serial.read(1)
            if not byte or time.monotonic() > deadline:
                raise TransportError("no raw paste mode")
            seen = seen[-1:] + byte

    def _give_up_paste(self) -> None:
        """Have a device that waits for the rest of a program forget it."""
        from mpremote.transport import TransportError

        try:
            self._interrupt(time.monotonic() + _QUIET_S)
        except NoPrompt:
            raise TransportError("it takes no program") from None
        self._skip_banners(0)

    def _read_answer(self) -> tuple[bytes, bytes]:
        """Standard output and error of a program, up to the next prompt.

        What comes behind that is not its own: the application may print beside it.
        """
        from mpremote.transport import TransportError

        answer = bytearray()
        looked_at = 0
        deadline = time.monotonic() + _ANSWER_S
        is_asked = False
        while True:
            piece = self.serial.read(max(1, self.serial.in_waiting))
            answer += piece
            if answer.find(_PROMPT, looked_at) >= 0 and (found := _ANSWER.match(answer)):
                return found[1], found[2]
            if answer.find(_BANNER, looked_at) >= 0:
                raise TransportError("a part of its answer is lost")
            if len(answer) > _ANSWER_SIZE:
                raise TransportError(f"its answer has more than {_ANSWER_SIZE} bytes")
            if not piece and (is_asked or time.monotonic() > deadline):
                raise TransportError("no end of its answer")
            if not piece:
                # At work it takes no notice; at the prompt it says so, and what is missing is lost.
                self.serial.write(_KNOCK)
            is_asked = not piece
            looked_at = max(0, len(answer) - len(_BANNER))


def literal(data: bytes) -> bytes:
    """Bytes as MicroPython reads them in a program: its lexer is clean for 8 bits, so that only
    what ends a literal, a line or the raw REPL's input is escaped, in as few bytes as can be."""

    return b"b'" + _ESCAPED.sub(_escape, data) + b"'"


def _escape(found: re.Match[bytes]) -> bytes:
    byte, digit = found[0][:1], found[1]
    octal = rb"\%03o" if digit else rb"\%o"  # which a digit behind it would go on with
    return _ESCAPES.get(byte, octal % byte[0]) + digit


def text(value: str) -> bytes:
    """A text as MicroPython reads it in a program."""
    return literal(value.encode())[1:]
