# SPDX-License-Identifier: MIT
"""A device's files over its REPL: the calls of `viperhttp.sync`, in few exchanges."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from viper.base import schema
from viper.base.errors import UserError
from viper.base.schema import Nonsense, Record
from viper.device.repl import DeviceRepl, literal, text
from viper.image.sectors import SECTOR_SIZE, runs
from viper.sync.transfer import PATHS, PIECE, WaitingFile

T = TypeVar("T")

MARK = b"\x02viper:"  # begins the lines of an answer (firmware/python/viperhttp/sync.py)

_EXCHANGE = 16 * 1024  # bytes of Python sent at a time: the device compiles it in its memory
_IMPORT = b"from viperhttp import sync"
_NO_MODULE = "ImportError"


class OtherFirmware(UserError):
    """The device's firmware has no `viperhttp.sync`."""


class ReplTransport:
    """A device_sync.Transport, and what only a REPL can be asked for."""

    def __init__(self, repl: DeviceRepl) -> None:
        """Make ready for calls.

        Args:
            repl: a device at its raw REPL.

        Raises:
            UserError: the device knows no such calls, or stops answering.
        """
        self._repl = repl
        _, error = repl.execute(_IMPORT)
        if error.startswith(_NO_MODULE):
            raise OtherFirmware(
                f"the device's firmware cannot sync its files ({error})", "./scons flash"
            )
        if error:
            raise self._failure(error)

    def call(self, *calls: bytes) -> list[Record]:
        """Call functions of `viperhttp.sync` in one exchange, each as b"name(arguments)".

        Returns:
            Their answers.

        Raises:
            UserError: the device's file system is full, fails otherwise, or it stops answering.
        """
        output, error = self._repl.execute(b"\n".join(b"sync." + call for call in calls))
        if error:
            raise self._failure(error)
        lines = (line for line in output.split(b"\r\n") if line.startswith(MARK))
        return self._understand(lambda: [schema.read(line.removeprefix(MARK)) for line in lines])

    def manifest(self, known: str) -> list[Record]:
        """See `transfer.Transport`."""
        return self.call(_call("manifest", [known]))

    def look(self, paths: Sequence[str]) -> list[Record]:
        """See `transfer.Transport`."""
        return self.call(_call("look", paths))

    def send(self, files: Iterable[WaitingFile]) -> Iterator[int]:
        """See `transfer.Transport`."""
        for calls, size in _exchanges(files):
            self.call(*calls)
            yield size

    def copy(self, path: str, name: str, sha256: str) -> None:
        """See `transfer.Transport`."""
        self.call(_call("copy", [path, name, sha256]))

    def forget(self, names: Sequence[str]) -> list[Record]:
        """See `transfer.Transport`."""
        return self.call(_call("forget", names))

    def switch(self, name: str) -> list[Record]:
        """See `transfer.Transport`."""
        return self.call(_call("switch", [name]))

    def abandon(self) -> None:
        """See `transfer.Transport`."""
        self._repl.interrupt()
        self.call(b"abandon()")

    def make_folders(self, folders: Sequence[str]) -> None:
        """Make the folders that are not there."""
        for at in range(0, len(folders), PATHS):
            self.call(_call("make_folders", folders[at : at + PATHS]))

    def read_sectors(self, sectors: Sequence[int]) -> dict[int, bytes]:
        """Sectors of the device's file system, in one exchange."""
        spans = b",".join(b"%d,%d" % (run.first, run.count) for run in runs(sorted(sectors)))
        answers = self.call(b"sectors(" + spans + b")")
        return self._understand(lambda: dict(map(_sector, answers)))

    def _understand(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except Nonsense as why:
            raise UserError(
                f"the device's answer cannot be read ({why}); does a thread print in between?",
                self._repl.again,
            ) from None

    @staticmethod
    def _failure(error: str) -> UserError:
        if re.search(r"\b28\b|ENOSPC", error):
            return UserError(
                "the device's file system is full: what is to go there does not fit beside what "
                "is there",
                "delete files there (mpremote connect PORT rm ...), then do this again",
            )
        return UserError(
            f"the device cannot update its files: {error}",
            "see what it prints: mpremote connect PORT",
        )


def _sector(answer: Record) -> tuple[int, bytes]:
    try:
        content = b64decode(answer.text("data", 2 * SECTOR_SIZE), validate=True)
    except binascii.Error:
        raise Nonsense("its 'data' is no base64") from None
    if len(content) > SECTOR_SIZE:
        raise Nonsense("its 'data' is more than a sector")
    return answer.number("sector", most=1 << 32), content.ljust(SECTOR_SIZE, b"\0")


def _call(name: str, words: Sequence[str]) -> bytes:
    return name.encode() + b"(" + b",".join(map(text, words)) + b")"


def _exchanges(files: Iterable[WaitingFile]) -> Iterator[tuple[list[bytes], int]]:
    """The calls that send files, as many to an exchange as fit it, and the bytes of files sent."""
    exchange: list[bytes] = []
    length = size = 0
    for file in files:
        for call, sent in _calls(file):
            if length + len(call) > _EXCHANGE:
                yield exchange, size
                exchange, length, size = [], 0, 0
            exchange.append(call)
            length += len(call)
            size += sent
    if exchange:
        yield exchange, size


def _calls(file: WaitingFile) -> Iterator[tuple[bytes, int]]:
    """The calls that send one file, and how many bytes of it each sends."""
    yield _call("begin", [file.name]), 0
    for at in range(0, len(file.content), PIECE):
        piece = file.content[at : at + PIECE]
        plain = literal(piece)
        packed = literal(zlib.compress(piece, 9))
        if len(packed) < len(plain):
            yield b"unpack(" + packed + b")", len(piece)
        else:
            yield b"write(" + plain + b")", len(piece)
    yield _call("end", [file.sha256]), 0
