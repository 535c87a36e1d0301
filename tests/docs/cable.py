"""Serial cables: device files of this computer, each with a virtual board at its far end.

A device file is a pseudo terminal. What has no room on one, DTR and RTS, comes from the double in
tests/doubles/uart, which is preloaded into the programs of this computer.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from pathlib import Path

import serial
from viper.ports import serial_urls
from viper.ports.port import viper_url
from viper.virtual_board.control import BoardInfo

_LINES = "\0modem lines"  # a name of this network namespace, as the double has it
_PATIENCE_S = 2.0  # with a program that has not read for so long


class Cable:
    """A device file, connected to a board.

    Attributes:
        tty: the pseudo terminal.
    """

    def __init__(self, device: Path, board: BoardInfo) -> None:
        # Open at both ends all the time: with the last user of a pseudo terminal its settings go,
        # and the next one's echo would type to the board what the board prints.
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.tty = os.ttyname(theirs)
        device.symlink_to(self.tty)
        self._board = serial.serial_for_url(viper_url(board.port_url), 115200, timeout=0.1)
        for task in (self._to_the_board, self._from_the_board):
            threading.Thread(target=task, daemon=True).start()

    def set_lines(self, dtr: bool, rts: bool) -> None:
        self._board.dtr = dtr
        self._board.rts = rts

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


def connect(boards: dict[Path, BoardInfo]) -> None:
    """Lay cables from device files to boards; they are there while this process is."""
    serial_urls.register()
    cables = [Cable(device, board) for device, board in boards.items()]
    by_tty = {cable.tty: cable for cable in cables}
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(_LINES)
    server.listen()

    def answer() -> None:
        while True:
            with server.accept()[0] as double:
                name, dtr, rts = double.recv(128).decode().split()
                if name in by_tty:
                    by_tty[name].set_lines(dtr == "1", rts == "1")
                double.send(b"x")

    threading.Thread(target=answer, daemon=True).start()
