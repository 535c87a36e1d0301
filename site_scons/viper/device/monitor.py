# SPDX-License-Identifier: MIT
"""The process that shows a device's console: `python -m viper.device.monitor --help`.

It has the terminal to itself, raw: Ctrl-C reaches the device under `--keys`, and ends the process
without. A board whose USB port goes away in a reset is waited for.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base.errors import UserError, exits
from viper.base.printable import Console, printable
from viper.device.backtrace import Decoder, Executable
from viper.ports import port, usb_serial
from viper.ports.serial_line import open_line

if TYPE_CHECKING:
    from serial import Serial

_END = b"\x1d"  # Ctrl-]
_INTERRUPT = b"\x03"
_FRIENDLY_REPL = b"\x02"  # Ctrl-B ends the raw REPL that a tool has left
_PROMPT = b"\r"


class Screen:
    """Standard output: what the device prints, and our own lines between it.

    Args:
        obeys: whether the terminal obeys the device, whose prompt edits its line by commands.
    """

    def __init__(self, decoder: Decoder, obeys: bool = False) -> None:
        self._decoder = decoder
        self._console = None if obeys else Console()

    def show(self, output: bytes) -> None:
        """What the device prints; after a panic, where in the source it was."""
        self._write(self._console.feed(output).encode() if self._console else output)
        for line in self._decoder.feed(output):
            self.tell(line)

    def tell(self, line: str) -> None:
        """A line of our own."""
        self._write(f"--- {printable(line, kept='')}\r\n".encode())

    @staticmethod
    def _write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


class _Reader:
    """A thread that shows what comes from an open port until the port is gone, or `stop`.

    Attributes:
        gone: a descriptor that becomes readable when the port is gone.
    """

    def __init__(self, line: Serial, show: Callable[[bytes], None]) -> None:
        self._line = line
        self._show = show
        self.gone, self._signal = os.pipe()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stopped:
                data = self._line.read(max(1, self._line.in_waiting))
                if data:
                    self._show(data)
        except (OSError, TypeError):  # pyserial meets a port that closes under it by the latter
            os.write(self._signal, b"x")

    def stop(self) -> None:
        """End the thread, and close the port."""
        self._stopped = True
        self._thread.join()
        self._line.close()
        os.close(self.gone)
        os.close(self._signal)


def watch(url: str, called: str, screen: Screen, *, send_keys: bool, keyboard: int = 0) -> None:
    """Show a port until the person at the terminal ends it.

    Args:
        url: what pyserial opens.
        called: what errors call it, PORT=/dev/ttyACM0.
        send_keys: whether what is typed goes to the device.
        keyboard: the descriptor that keys are read from.

    Raises:
        UserError: the port is in use, cannot be opened, or is gone for good.
    """
    device = usb_serial.of(url) if url.startswith("/") else None
    news = f"{called}; {'' if send_keys else 'Ctrl-C or '}Ctrl-] ends this"
    while True:
        with port.lock(url, called=called, pid=os.getppid()):
            line = open_line(url, called)
            screen.tell(news)
            if send_keys:
                line.write(_FRIENDLY_REPL + _PROMPT)
            reader = _Reader(line, screen.show)
            try:
                if not _until_gone(reader, keyboard, line if send_keys else None):
                    return
            finally:
                reader.stop()
        if device is None:
            raise UserError(f"{called} has closed", "is the board still there? ./scons ports")
        screen.tell(f"{url} is gone; waiting for the board to come back")
        back = usb_serial.wait_for(device.is_same, float("inf"), stop=lambda: _ends(keyboard))
        if back is None:
            return
        url, news = back.tty, f"it is back as {back.tty}"


def _ends(keyboard: int) -> bool:
    """Whether one of the keys that end this was typed; others are forgotten."""
    keys = os.read(keyboard, 1024) if select.select([keyboard], [], [], 0)[0] else b""
    return _END in keys or _INTERRUPT in keys


def _until_gone(reader: _Reader, keyboard: int, keys_go_to: Serial | None) -> bool:
    """Wait until the port is gone (True), or the person ends it (False)."""
    watched = [reader.gone, keyboard]
    while True:
        ready = select.select(watched, [], [])[0]
        if reader.gone in ready:
            return True
        keys = os.read(keyboard, 1024)
        if not keys:
            watched.remove(keyboard)  # nobody is there to end it: a signal does
        elif _END in keys or (keys_go_to is None and _INTERRUPT in keys):
            return False
        elif keys_go_to is not None:
            with contextlib.suppress(OSError):  # gone just now
                keys_go_to.write(keys)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Keys as they are typed, without echo, where standard input is a terminal."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSAFLUSH, before)


@exits
def main() -> None:
    """Show a device's console."""
    parser = argparse.ArgumentParser(
        prog="python -m viper.device.monitor", description=main.__doc__
    )
    parser.add_argument("--url", required=True, help="what pyserial opens")
    parser.add_argument("--called", required=True, help="what errors call it")
    parser.add_argument("--build", type=Path, required=True, help="folder of the board's outputs")
    parser.add_argument("--keys", action="store_true", help="send what is typed to the device")
    options = parser.parse_args()
    screen = Screen(Decoder(Executable.of_build(options.build)), obeys=options.keys)
    if options.keys and not os.isatty(0):
        raise UserError("repl needs a terminal", "mpremote runs programs: mpremote exec ...")
    with _raw_terminal(), contextlib.suppress(KeyboardInterrupt):
        watch(options.url, options.called, screen, send_keys=options.keys)


if __name__ == "__main__":
    main()
