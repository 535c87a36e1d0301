"""A device's files over its REPL: the calls of `viperhttp.sync`, in few exchanges."""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from viper.device_repl import DeviceRepl, literal, text
from viper.device_sync import PATHS, PIECE, StagedFile
from viper.flash_sectors import runs

_EXCHANGE = 16 * 1024  # bytes of Python sent at a time: the device compiles it in its memory


class ReplTransport:
    """A device_sync.Transport, and what only a REPL can be asked for."""

    def __init__(self, repl: DeviceRepl) -> None:
        self._repl = repl

    def manifest(self, scope: Sequence[str]) -> list[dict[str, Any]]:
        return self._repl.call(_call("manifest", scope))

    def send(self, files: Iterable[StagedFile]) -> Iterator[int]:
        for calls, size in _exchanges(files):
            self._repl.call(*calls)
            yield size

    def commit(self, removed: Sequence[str], placed: Sequence[str]) -> None:
        gone = b"".join(text(path) + b"," for path in removed)
        self._repl.call(b"commit(" + b",".join([b"(" + gone + b")", *map(text, placed)]) + b")")

    def finish(self) -> None:
        self._repl.call(b"finish()")

    def abandon(self) -> None:
        self._repl.interrupt()
        self._repl.call(b"abandon()")

    def make_folders(self, folders: Sequence[str]) -> None:
        """Make the folders that are not there."""
        for at in range(0, len(folders), PATHS):
            self._repl.call(_call("make_folders", folders[at : at + PATHS]))

    def read_sectors(self, sectors: Sequence[int]) -> dict[int, bytes]:
        """Sectors of the device's file system, in one exchange."""
        spans = b",".join(b"%d,%d" % (run.first, run.count) for run in runs(sorted(sectors)))
        answers = self._repl.call(b"sectors(" + spans + b")")
        return {answer["sector"]: b64decode(answer["data"]) for answer in answers}


def _call(name: str, words: Sequence[str]) -> bytes:
    return name.encode() + b"(" + b",".join(map(text, words)) + b")"


def _exchanges(files: Iterable[StagedFile]) -> Iterator[tuple[list[bytes], int]]:
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


def _calls(file: StagedFile) -> Iterator[tuple[bytes, int]]:
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
