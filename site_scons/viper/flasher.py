"""The process that works on one device: `python -m viper.flasher REQUEST`.

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
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from viper import device_stamp, device_sync, flash_session, port, serial_handlers, sync_plan
from viper.device_repl import DeviceRepl
from viper.errors import UserError
from viper.flash_device import (
    LEFT_ALONE,
    PLAN,
    SAME,
    SYNC,
    WRITTEN,
    FlashRequest,
    FlashResult,
    PartResult,
    decode_request,
)
from viper.flash_sectors import SECTOR_SIZE
from viper.flash_session import PartPlan, Session
from viper.native_usb import NativeUsb
from viper.reset_line import start_application
from viper.sync_plan import Manifest, SyncPlan

if TYPE_CHECKING:
    from viper.esp_device import Device

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Flasher:
    """One request, from opening the port to starting the application."""

    def __init__(self, request: FlashRequest, channel: TextIO) -> None:
        self._request = request
        self._channel = channel
        self._doing = "connecting"
        self._said = 0.0
        self._image = flash_session.load(request.image, request.root)
        self._usb = NativeUsb(request.url, f"PORT={request.port}")
        self._result = FlashResult()

    def run(self) -> FlashResult:
        """Do what is requested.

        Raises:
            UserError: it cannot be done, and why.
        """
        request = self._request
        with port.lock(request.url, called=f"PORT={request.port}", pid=os.getppid()):
            try:
                if request.goal == SYNC:
                    self._sync(starting=False)
                else:
                    self._flash()
                return self._result
            except OSError as error:  # pyserial's errors too
                raise _file_error(error, request) or self._silent(error) from None

    def _silent(self, error: Exception) -> UserError:
        """The error for a device that answers no more."""
        said = str(error).strip().splitlines() or [repr(error)]
        return UserError(
            f"PORT={self._request.port}: the device stopped answering while {self._doing} "
            f"({said[0].rstrip('.!')})",
            f"check cable and power, then {self._request.again}",
        )

    @contextmanager
    def _chip(self) -> Iterator[Device]:
        """The chip in download mode; its application is started afterwards, whatever happens."""
        from esptool.util import FatalError

        from viper.esp_device import Device

        device = Device(self._request, self._usb)
        try:
            device.connect(self._image)
            yield device
        except FatalError as error:
            raise self._silent(error) from None
        finally:
            device.start_application()
            self._note(mac=device.mac, reset_s=device.reset_s, stub_s=device.stub_s)
            self._count(device.written.bytes)

    def _flash(self) -> None:
        with self._chip() as device:
            self._doing = "telling what it holds"
            began = time.monotonic()
            session = Session(self._image, device, self._request.stamps)
            plans = session.plan()
            planned = time.monotonic()
            if self._request.goal != PLAN:
                total = sum(part.size for part in map(_part_result, plans))
                self._doing = "being written"
                if total:
                    self._say(total=total, doing="FLASH")
                session.write(plans, self._progress)
            self._note(
                parts=tuple(map(_part_result, plans)),
                confirm_s=planned - began,
                write_s=time.monotonic() - planned,
            )
        for plan in plans:
            if plan.sectors is None and not self._holds_files(session, plan):
                self._sync(starting=True, filesystem_md5=session.filesystem_md5(plan.part))

    def _holds_files(self, session: Session, plan: PartPlan) -> bool:
        """Whether a file system that is not written by sectors is known to hold the files."""
        stamp = session.stamp
        held = session.filesystem_md5(plan.part)
        return stamp.files == self._wanted() and stamp.files_md5 == held

    def _sync(self, starting: bool, filesystem_md5: bytes = b"") -> None:
        """Bring the files of a running device up to date.

        Args:
            starting: the device has been reset just now.
            filesystem_md5: what the chip has said of its file system, if it was asked.
        """
        began = time.monotonic()
        self._doing = "updating its files"
        if starting:
            self._usb.after_reset()
        with DeviceRepl(self._usb.url, self._request.again) as repl:
            restart = True
            try:
                repl.enter(starting)
                plan = self._update(repl, filesystem_md5)
                changed = plan.touches_application and self._request.goal != PLAN
                restart = repl.interrupted or changed
            finally:
                if restart:
                    start_application(repl.serial)
                else:
                    repl.leave()
            self._count(repl.written.bytes)
        self._note(files_sent=plan.sent, files_deleted=plan.deleted)
        self._note(files_s=time.monotonic() - began)

    def _update(self, repl: DeviceRepl, filesystem_md5: bytes) -> SyncPlan:
        """Ask for the manifest and do what follows from it."""
        request, wanted = self._request, self._image.files
        scope = sync_plan.scope({*wanted, *device_stamp.paths(request.stamps)})
        manifest = device_sync.ask(repl, scope, request.again)
        self._check(manifest)
        stamp = device_stamp.load(request.stamps, manifest.mac)
        plan = sync_plan.plan(wanted, stamp.files, manifest.files, request.delete_extras)
        if request.goal == PLAN:
            return plan
        # Until all is done the device may hold files of either image.
        stamp.files = {**stamp.files, **self._wanted()}
        stamp.files_md5 = b""
        if plan.changes:
            device_stamp.save(request.stamps, stamp)
            self._say(total=device_sync.bytes_to_send(plan, wanted), doing="SYNC")
            device_sync.perform(repl, manifest, plan, wanted, self._safeguard, self._progress)
        else:
            stamp.files_md5 = filesystem_md5
        stamp.files = self._wanted()
        device_stamp.save(request.stamps, stamp)
        return plan

    def _safeguard(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _check(self, manifest: Manifest) -> None:
        """Refuse a device that is not the one that was there, or that runs another build.

        Raises:
            UserError: it is.
        """
        request = self._request
        if self._result.mac not in ("", manifest.mac):
            raise UserError(
                f"PORT={request.port} was {self._result.mac} and is {manifest.mac} now",
                f"{request.again.split(':')[0]}, for the board that is to stay",
            )
        if manifest.build != request.build and request.goal != PLAN:
            raise UserError(
                f"PORT={request.port} runs build {manifest.build}, and {request.build} is built",
                port.typed("flash", request.port),
            )
        self._note(mac=manifest.mac)

    def _wanted(self) -> dict[str, str]:
        return {path: file.sha256 for path, file in self._image.files.items()}

    def _note(self, **result: object) -> None:
        self._result = dataclasses.replace(self._result, **result)  # type: ignore[arg-type]

    def _count(self, sent: int) -> None:
        self._note(bytes_on_wire=self._result.bytes_on_wire + sent)

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


def _file_error(error: OSError, request: FlashRequest) -> UserError | None:
    """What to say if an error is not the device's, but that of a file here."""
    if not (error.filename or error.errno == errno.ENOSPC):
        return None
    # Only the stamps are written, and a full disk shows when a file is already open.
    return UserError(
        f"{error.filename or request.stamps}: {error.strerror}", f"mend that, then {request.again}"
    )


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    """SIGINT: once. What follows, the reset of the device, is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Do what the request in argv says; see the module for what is written and returned."""
    serial_handlers.register()
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
