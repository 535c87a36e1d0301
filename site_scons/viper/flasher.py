"""The process that flashes one device: `python -m viper.flasher REQUEST`.

esptool, under the GPL, drives the device; so this module runs in a process of its own, which
`viper.flash_device` starts and speaks JSON with, and nothing else imports it.

It writes one JSON object to a line: {"total": bytes, "doing": tag}, {"done": bytes},
{"error": what, "next": command}, {"result": ...}. Its exit status is 0, 2 after an error that the
user can mend, 130 after SIGINT, and 1 with a traceback for a bug.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import json
import os
import signal
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

import esptool.cmds as esptool
import esptool.loader as loader
import serial
from esptool.util import FatalError, flash_size_bytes

from viper import device_files, flash_session, port, serial_handlers
from viper.errors import UserError
from viper.flash_device import (
    LEFT_ALONE,
    SAME,
    WRITTEN,
    FlashRequest,
    FlashResult,
    PartResult,
    decode_request,
)
from viper.flash_sectors import SECTOR_SIZE
from viper.flash_session import PartPlan, Session
from viper.serial_handlers import WriteCounter

_CONNECT_ATTEMPTS = 3  # of 1 to 2 s; esptool varies its reset sequence with each
_BLOCK_S = 0.2  # what one block takes on the line at most: an interrupt waits for it
_STUB_BLOCKS = (0x1000, 0x4000)  # bytes; the stub's buffer is of the greater size
_STUB_WINDOW = 32 * 1024  # bytes that the stub unpacks before it writes
_ERASE_BLOCK = 64 * 1024  # bytes that the stub may erase at once, ahead of the data
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# esptool 5.6 prepares the hex dump of every packet for a trace that is off, which takes longer
# than the packet does on the line.
loader.HexFormatter = lambda data, auto_split=True: ""


class Device:
    """An ESP chip on a port, in download mode with esptool's stub: a `flash_session.Chip`.

    Attributes:
        mac: 12 hex digits, lower case.
        written: counts the bytes sent.
        reset_s, stub_s: what connecting took.
    """

    def __init__(self, request: FlashRequest) -> None:
        """Open the port; `connect` does the rest.

        Raises:
            UserError: it is busy, or cannot be opened.
        """
        self._request = request
        self._began = time.monotonic()
        self._serial = _open(request)
        self.mac = ""
        self.written = WriteCounter(self._serial)
        self.reset_s = self.stub_s = 0.0

    def connect(self, image: flash_session.Image) -> None:
        """Reset into download mode, start the stub, and see that the chip is the right one.

        Raises:
            UserError: it does not answer, or is not of the kind that the image is for.
        """
        try:
            esp = esptool.detect_chip(self._serial, connect_attempts=_CONNECT_ATTEMPTS)
        except FatalError as error:
            raise UserError(
                f"PORT={self._request.port} does not answer in download mode "
                f"({_first_line(error)})",
                "is the board plugged in? If so, hold BOOT while you press and release RESET, "
                "and flash again",
            ) from None
        self.reset_s = time.monotonic() - self._began
        self._refuse_other_chips(esp, image)
        began = time.monotonic()
        self._esp = esptool.run_stub(esp)
        if self._request.baud != loader.ESPLoader.ESP_ROM_BAUD:
            self._esp.change_baud(self._request.baud)
        esptool.attach_flash(self._esp)
        self._refuse_small_flash(image)
        least, most = _STUB_BLOCKS
        block = self._request.baud / 10 * _BLOCK_S
        self._esp.FLASH_WRITE_SIZE = most if block >= most else max(least, int(block) & -least)
        self.mac = bytes(self._esp.read_mac("BASE_MAC")).hex()
        self.stub_s = time.monotonic() - began

    def md5(self, offset: int, size: int) -> bytes:
        """See `flash_session.Chip`."""
        return bytes.fromhex(self._esp.flash_md5sum(offset, size))

    def erase(self, offset: int, size: int) -> None:
        """See `flash_session.Chip`."""
        self._esp.erase_region(offset, size)

    def write(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        """See `flash_session.Chip`; sent compressed if that is shorter."""
        packed = zlib.compress(content, 9)
        try:
            if len(packed) < len(content):
                self._write_packed(offset, content, packed, progress)
            else:
                self._write_plain(offset, content, progress)
        except FatalError as error:
            # A chip that answers and refuses has a sector that fails: the verification names it.
            if "result was" not in str(error):
                raise

    def _write_plain(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        block = self._esp.FLASH_WRITE_SIZE
        self._esp.flash_begin(len(content), offset, logging=False)
        for sequence, at in enumerate(range(0, len(content), block)):
            self._esp.flash_block(content[at : at + block], sequence)
            progress(min(at + block, len(content)))
        self._esp.flash_finish(reboot=False)

    def _write_packed(
        self, offset: int, content: bytes, packed: bytes, progress: Callable[[int], None]
    ) -> None:
        block = self._esp.FLASH_WRITE_SIZE
        unpacker = zlib.decompressobj()
        self._esp.flash_defl_begin(len(content), len(packed), offset)
        done = 0
        # The stub confirms a block before it writes it: each wait is for the block before.
        timeout = _write_timeout(0)
        for sequence, at in enumerate(range(0, len(packed), block)):
            piece = packed[at : at + block]
            self._esp.flash_defl_block(piece, sequence, timeout=timeout)
            unpacked = len(unpacker.decompress(piece))
            timeout = _write_timeout(unpacked)
            done += unpacked
            progress(done)
        self._esp.flash_defl_finish(reboot=False, timeout=timeout)

    def start_application(self) -> None:
        """Reset the chip into its application, whatever state it is in, and close the port."""
        start_application(self._serial)
        self._serial.close()

    def _refuse_other_chips(self, esp: Any, image: flash_session.Image) -> None:
        found = esp.CHIP_NAME
        if found.lower().replace("-", "") != image.chip:
            raise UserError(
                f"PORT={self._request.port} has an {found}; {image.board} is for {image.chip}",
                "plug in such a board, or name another one: BOARD=...",
            )
        security = esp.get_security_info()
        flags = security["parsed_flags"]
        encrypted = security["flash_crypt_cnt"].bit_count() % 2 == 1  # odd: encryption is on
        if encrypted or flags["SECURE_BOOT_EN"] or flags["SECURE_DOWNLOAD_ENABLE"]:
            raise UserError(
                f"PORT={self._request.port}: the chip has secure boot, secure download or flash "
                "encryption enabled; a plain image would not boot there",
                "use a chip without them",
            )

    def _refuse_small_flash(self, image: flash_session.Image) -> None:
        found = esptool.detect_flash_size(self._esp)
        if found is None or flash_size_bytes(found) < image.flash_size:
            raise UserError(
                f"PORT={self._request.port} has {found or 'an unknown size'} of flash; "
                f"{image.board} needs {image.flash_size >> 20}MB",
                "use a board with more flash, or another BOARD with a smaller partition table",
            )
        self._esp.flash_set_parameters(flash_size_bytes(found))


def start_application(line: Any) -> None:
    """Pulse EN by DTR and RTS with IO0 high, as esptool's hard reset does, if the port is there."""
    interrupts = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)  # or the chip might stay in reset
    with suppress(serial.SerialException, OSError):
        if line.dtr:
            line.dtr = False
        line.rts = True
        time.sleep(0.1)
        line.rts = False
    signal.pthread_sigmask(signal.SIG_UNBLOCK, interrupts)


def _write_timeout(unpacked: int) -> float:
    """Seconds that the stub may take to write a block that unpacks to so many bytes.

    It erases ahead of the data, a flash block with every window that it unpacks.
    """
    erased = (-(-unpacked // _STUB_WINDOW) + 1) * _ERASE_BLOCK
    return float(loader.timeout_per_mb(loader.ERASE_WRITE_TIMEOUT_PER_MB, unpacked + erased))


def _open(request: FlashRequest) -> Any:
    serial_handlers.register()
    try:
        return serial.serial_for_url(request.url, loader.ESPLoader.ESP_ROM_BAUD, exclusive=True)
    except (serial.SerialException, OSError) as error:
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            raise port.busy(request.url, f"PORT={request.port}") from None
        raise UserError(
            f"PORT={request.port} cannot be opened: {_first_line(error)}",
            "is the board plugged in, and not open in another program?",
        ) from None


def _file_error(error: Exception, request: FlashRequest) -> UserError | None:
    """What to say if an error is not the device's, but that of a file here."""
    if not isinstance(error, OSError) or not (error.filename or error.errno == errno.ENOSPC):
        return None
    # Only the stamps are written, and a full disk shows when a file is already open.
    return UserError(
        f"{error.filename or request.stamps}: {error.strerror}", f"mend that, then {request.again}"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".!") if str(error).strip() else repr(error)


class Flasher:
    """One request, from opening the port to starting the application."""

    def __init__(self, request: FlashRequest, channel: TextIO) -> None:
        self._request = request
        self._channel = channel
        self._doing = "connecting"
        self._said = 0.0

    def run(self) -> FlashResult:
        """Do what is requested.

        Raises:
            UserError: it cannot be done, and why.
        """
        request = self._request
        image = flash_session.load(request.image, request.root)
        owner = os.getppid()
        called = f"PORT={request.port}"
        with port.lock(request.url, called=called, pid=owner):
            try:
                device = Device(request)
                with _started_afterwards(device):
                    device.connect(image)
                    session, plans, confirm_s, write_s = self._flash(device, image)
                began = time.monotonic()
                sent, update = self._update_files(session, plans, image)
                return FlashResult(
                    mac=device.mac,
                    parts=tuple(map(_part_result, plans)),
                    files_sent=update.sent,
                    files_deleted=update.deleted,
                    bytes_on_wire=device.written.bytes + sent,
                    reset_s=device.reset_s,
                    stub_s=device.stub_s,
                    confirm_s=confirm_s,
                    write_s=write_s,
                    files_s=time.monotonic() - began,
                )
            except (FatalError, OSError) as error:  # pyserial's errors are OSErrors
                raise _file_error(error, request) or UserError(
                    f"PORT={request.port}: the device stopped answering while {self._doing} "
                    f"({_first_line(error)})",
                    f"check cable and power, then {request.again}",
                ) from None

    def _flash(
        self, device: Device, image: flash_session.Image
    ) -> tuple[Session, list[PartPlan], float, float]:
        """Plan and write; also how many seconds each took."""
        self._doing = "telling what it holds"
        began = time.monotonic()
        session = Session(image, device, self._request.stamps)
        plans = session.plan()
        planned = time.monotonic()
        if not self._request.plan_only:
            total = sum(part.size for part in map(_part_result, plans))
            self._doing = "being written"
            if total:
                self._say(total=total, doing="FLASH")
            session.write(plans, self._progress)
        return session, plans, planned - began, time.monotonic() - planned

    def _update_files(
        self, session: Session, plans: list[PartPlan], image: flash_session.Image
    ) -> tuple[int, device_files.Update]:
        """Bring a file system that was left alone up to date; also how many bytes that sent."""
        nothing = device_files.Update((), ())
        alone = [plan.part for plan in plans if plan.sectors is None]
        if not alone:
            return 0, nothing
        wanted = {path: file.sha256 for path, file in image.files.items()}
        stamp = session.stamp
        paths = sorted({*wanted, *stamp.files})
        held = session.filesystem_md5(alone[0])
        if not paths or (stamp.files == wanted and stamp.files_md5 == held):
            return 0, nothing
        self._doing = "updating its files"
        with device_files.DeviceFiles(self._request.url, self._request.again) as files:
            try:
                files.interrupt()
                found = files.survey(paths, keep=self._request.plan_only)
                update = device_files.difference(image.files, stamp.files, found)
                if not self._request.plan_only:
                    changed = bool(update.sent or update.deleted)
                    # Until all is done the device may hold files of either image.
                    stamp.files, stamp.files_md5 = {**stamp.files, **wanted}, b""
                    session.save()
                    self._send(files, update, image)
                    stamp.files, stamp.files_md5 = wanted, b"" if changed else held
                    session.save()
            finally:
                start_application(files.serial)
            return files.written.bytes, update

    def _send(
        self,
        files: device_files.DeviceFiles,
        update: device_files.Update,
        image: flash_session.Image,
    ) -> None:
        chosen = {path: image.files[path] for path in update.sent}
        if chosen:
            self._say(total=device_files.bytes_to_send(chosen), doing="FILES")
        files.send(chosen, update.deleted, self._progress)

    def _progress(self, done: int) -> None:
        """Say how far the work is, a few times a second."""
        if time.monotonic() - self._said > 0.1:
            self._said = time.monotonic()
            self._say(done=done)

    def _say(self, **message: object) -> None:
        print(json.dumps(message), file=self._channel, flush=True)


def _part_result(plan: PartPlan) -> PartResult:
    size = len(plan.sectors or []) * SECTOR_SIZE
    action = LEFT_ALONE if plan.sectors is None else WRITTEN if plan.sectors else SAME
    return PartResult(plan.part.name, action, size // SECTOR_SIZE, size)


@contextmanager
def _started_afterwards(device: Device) -> Iterator[None]:
    """Leave a device in its application, even if what is done to it fails."""
    try:
        yield
    finally:
        device.start_application()


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    """SIGINT: once. What follows, the reset of the device, is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Flash as the request in argv says; see the module for what is written and returned."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        return 130
    # Only our own messages go to standard output; what libraries print is for a bug's report.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        try:
            result = Flasher(decode_request(sys.argv[1]), channel).run()
        except UserError as error:
            print(json.dumps({"error": error.what, "next": error.next_step}), file=channel)
            return 2
        except KeyboardInterrupt:
            return 130
        except Exception:
            traceback.print_exc()
            return 1
        print(json.dumps({"result": dataclasses.asdict(result)}), file=channel)
        return 0


if __name__ == "__main__":
    sys.exit(main())
