# SPDX-License-Identifier: MIT
"""Serial cables: device files of this computer, each with a virtual board at its far end.

A device file is a pseudo terminal. What has no room on one, DTR and RTS, comes from the double in
tests/doubles/uart, which is preloaded into the programs that use the cable.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import threading
import tty
from pathlib import Path

import serial
from serial import rfc2217
from viper.ports import serial_urls
from viper.ports.port import viper_url
from viper.virtual_board.control import BoardInfo

_DOUBLE = Path(__file__).parent / "doubles/uart/modem_lines.c"
_PATIENCE_S = 2.0  # with a program that has not read for so long


def build_double(folder: Path) -> Path:
    """The library to preload, compiled into a folder."""
    library = folder / "modem_lines.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, str(_DOUBLE), "-o", str(library)], check=True)
    return library


class Cable:
    """A device file, connected to a board while this process is.

    Args:
        device: where the device file is to be.
        board: what its other end is plugged into.
    """

    def __init__(self, device: Path, board: BoardInfo) -> None:
        # Open at both ends all the time: with the last user of a pseudo terminal its settings go,
        # and the next one's echo would type to the board what the board prints.
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        name = os.ttyname(theirs)
        device.symlink_to(name)
        serial_urls.register()
        self._board = serial.serial_for_url(viper_url(board.port_url), 115200, timeout=0.1)
        self._lines = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lines.bind(f"\0modem lines of {name}")  # as the double has it
        self._lines.listen()
        for task in (self._to_the_board, self._from_the_board, self._lines_to_the_board):
            threading.Thread(target=task, daemon=True).start()

    def _to_the_board(self) -> None:
        while True:
            self._board.write(os.read(self._ours, 4096))

    def _from_the_board(self) -> None:
        patience_s = _PATIENCE_S
        while True:
            data = self._board.read(max(1, self._board.in_waiting))
            while data:
                if select.select([], [self._ours], [], patience_s)[1]:
                    data = data[os.write(self._ours, data) :]
                    patience_s = _PATIENCE_S
                else:
                    data, patience_s = b"", 0.0  # nobody reads, and it is lost

    def _lines_to_the_board(self) -> None:
        """Pass both lines on as they are, at once: a cable keeps no distance between changes."""
        on_or_off = {
            b"dtr": (rfc2217.SET_CONTROL_DTR_OFF, rfc2217.SET_CONTROL_DTR_ON),
            b"rts": (rfc2217.SET_CONTROL_RTS_OFF, rfc2217.SET_CONTROL_RTS_ON),
        }
        while True:
            with self._lines.accept()[0] as double:
                told = double.recv(16).split()
                if not told:
                    continue  # the program has but asked how they are
                for name, level in zip((b"dtr", b"rts"), told, strict=True):
                    value = on_or_off[name][level == b"1"]
                    self._board._rfc2217_options["control"].set(value)
                double.send(b"x")
