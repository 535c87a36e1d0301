"""Files brought up to date on a running device, over MicroPython's raw REPL.

For a file system that holds more than this graph put there: only the files of the image are
touched, those that differ are sent, and those that an earlier image put there are deleted.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from viper.errors import UserError
from viper.flash_session import File
from viper.serial_handlers import WriteCounter

if TYPE_CHECKING:
    from serial import Serial

_BAUD = 115200  # MicroPython's console
_REOPEN_S = 3  # what a port may take to be free again after esptool
_START_S = 15.0  # what the application has to come up after a reset
_QUIET_S = 10.0  # the longest silence while the device works
_EXCHANGE = 16 * 1024  # bytes of Python sent at a time: the device compiles it in its memory
_CHUNK = 6 * 1024  # bytes of a file in one statement, before base64
_SUFFIX = ".viper~"  # a file that is not complete yet
_MARK = "viper:sha256"  # begins the lines of an answer, among what the application may print

# Runs on the device. `digest` also removes what an interrupted update has left.
_LIBRARY = f"""\
import os, hashlib, binascii
def digest(path):
    try:
        with open(path, 'rb') as f:
            h = hashlib.sha256()
            b = bytearray(4096)
            m = memoryview(b)
            n = f.readinto(b)
            while n:
                h.update(m[:n])
                n = f.readinto(b)
        return binascii.hexlify(h.digest()).decode()
    except OSError:
        return ''
def drop(path):
    try:
        os.remove(path)
    except OSError:
        pass
def begin(path):
    global f, whole
    whole = path
    part = ''
    for name in path.split('/')[1:-1]:
        part += '/' + name
        try:
            os.mkdir(part)
        except OSError:
            pass
    f = open(path + '{_SUFFIX}', 'wb')
def more(data):
    try:
        f.write(binascii.a2b_base64(data))
    except:
        f.close()
        drop(whole + '{_SUFFIX}')
        raise
def end(sha256):
    f.close()
    if digest(whole + '{_SUFFIX}') != sha256:
        raise OSError('the device reads back something else')
    os.rename(whole + '{_SUFFIX}', whole)
"""


@dataclass(frozen=True)
class Update:
    """What an update did, or would do."""

    sent: tuple[str, ...]
    deleted: tuple[str, ...]


class DeviceFiles:
    """A device whose application has been interrupted; a context.

    Leaving the context closes the port and starts nothing: the caller resets the device.

    Attributes:
        serial: the open port.
        written: counts the bytes sent.
    """

    def __init__(self, url: str, again: str) -> None:
        """Open a port.

        Args:
            again: the next step after an update that broke off.

        Raises:
            UserError: it cannot be opened.
        """
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        try:
            self._transport = SerialTransport(url, _BAUD, wait=_REOPEN_S, timeout=_QUIET_S)
        except TransportError:
            raise UserError(f"{url} cannot be opened again", again) from None
        self._again = again
        self.serial: Serial = self._transport.serial
        self.written = WriteCounter(self.serial)

    def __enter__(self) -> DeviceFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.serial.close()

    def interrupt(self) -> None:
        """Bring the device to its raw REPL; it may still be starting.

        Raises:
            UserError: it does not answer in time.
        """
        from mpremote.transport import TransportError

        deadline = time.monotonic() + _START_S
        while True:
            try:
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=1)
                break
            except TransportError:
                if time.monotonic() > deadline:
                    raise UserError(
                        "MicroPython's REPL does not answer, so its files cannot be updated",
                        "see what the device prints: mpremote connect PORT",
                    ) from None
        self._run(_LIBRARY)

    def survey(self, paths: Sequence[str], keep: bool = True) -> dict[str, str]:
        """The sha256 of files on the device, in hex; "" for one that is not there.

        Args:
            keep: leave what an interrupted update may have left beside them.
        """
        found: dict[str, str] = {}
        for batch in _batches([repr(path) for path in paths], ","):
            clean = "" if keep else f" drop(path + {_SUFFIX!r})\n"
            answer = self._run(f"for path in ({batch},):\n{clean} print({_MARK!r}, digest(path))")
            lines = [line.partition(" ") for line in answer.splitlines()]
            digests = [digest for mark, _, digest in lines if mark == _MARK]
            found.update(zip(list(paths)[len(found) :], digests, strict=False))
        if len(found) != len(paths):
            raise UserError(
                "the device's answer cannot be read; does a thread print in between?",
                self._again,
            )
        return found

    def send(
        self, files: Mapping[str, File], remove: Sequence[str], progress: Callable[[int], None]
    ) -> None:
        """Send files and remove others.

        Each file comes under a temporary name, is read back, and then takes the place of the old.

        Args:
            progress: takes how many bytes have been sent so far.

        Raises:
            UserError: the device's file system is full, or fails otherwise.
        """
        sent = 0
        for batch in _batches([f"drop({path!r})" for path in remove], "\n"):
            self._run(batch)
        for batch in _batches(_statements(files), "\n"):
            self._run(batch)
            sent += len(batch)
            progress(sent)

    def _run(self, program: str) -> str:
        """Run a program on the device; what it prints."""
        from mpremote.transport import TransportError, TransportExecError

        try:
            output: bytes = self._transport.exec(program)
        except TransportExecError as error:
            lines = error.error_output.strip().splitlines() or ["it failed without a word"]
            if re.search(r"\b28\b|ENOSPC", lines[-1]):
                raise UserError(
                    "the device's file system is full: the files of this image do not fit beside "
                    "what is there",
                    "delete files there (mpremote connect PORT rm ...), then flash again",
                ) from None
            raise UserError(
                f"the device cannot update its files: {lines[-1]}",
                "see what it prints: mpremote connect PORT",
            ) from None
        except (TransportError, struct.error) as error:  # the latter when it falls silent
            raise UserError(
                f"the device stopped answering while its files were updated ({error})",
                self._again,
            ) from None
        return output.decode(errors="replace")


def bytes_to_send(files: Mapping[str, File]) -> int:
    """How many bytes `send` reports in the end."""
    return sum(len(batch) for batch in _batches(_statements(files), "\n"))


def _statements(files: Mapping[str, File]) -> Iterator[str]:
    """The calls of `_LIBRARY` that write files."""
    for path, file in files.items():
        content = file.source.read_bytes()
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise UserError(f"{file.source} is not what the image was made of", "./scons image")
        yield f"begin({path!r})"
        for at in range(0, len(content), _CHUNK):
            yield f"more({base64.b64encode(content[at : at + _CHUNK])!r})"
        yield f"end({file.sha256!r})"


def _batches(items: Iterator[str] | list[str], joint: str) -> Iterator[str]:
    """Items joined to as few texts as the size of an exchange allows."""
    batch: list[str] = []
    size = 0
    for item in items:
        if batch and size + len(item) > _EXCHANGE:
            yield joint.join(batch)
            batch, size = [], 0
        batch.append(item)
        size += len(item) + len(joint)
    if batch:
        yield joint.join(batch)


def difference(
    wanted: Mapping[str, File], ours: Mapping[str, str], found: Mapping[str, str]
) -> Update:
    """What has to be done about a device's files.

    Args:
        wanted: the files of the image.
        ours: the sha256 of the files that earlier images put there.
        found: the sha256 of the files that are there.

    A file of an earlier image that has been changed since is the user's now, and stays.
    """
    sent = tuple(path for path, file in wanted.items() if found.get(path) != file.sha256)
    gone = [path for path in ours if path not in wanted]
    deleted = tuple(path for path in gone if found.get(path) == ours[path] != "")
    return Update(sent, deleted)
