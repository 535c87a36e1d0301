# SPDX-License-Identifier: MIT
"""Work on one device: flashed, synced, saved, put back, as a request says.

esptool, under the GPL, drives the device; so only viper.update.worker, a process of its own,
imports this module.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, TextIO

from viper.base.console import human_mac
from viper.base.errors import UserError
from viper.device.held_port import HeldPort
from viper.device.repl import NoPrompt
from viper.flash import device_stamp, start_mark, writing
from viper.flash.jobs import (
    BACKUP,
    LEFT_ALONE,
    PLAN,
    RESTORE,
    SAME,
    SYNC,
    WRITTEN,
    FlashRequest,
    FlashResult,
    PartResult,
)
from viper.flash.writing import FILESYSTEM, Image, PartPlan, Session
from viper.image import filesystem_reader, ownership, partition_table
from viper.image.partition_table import PartitionTable
from viper.image.sectors import SECTOR_SIZE
from viper.ports import port
from viper.ports.native_usb import NativeUsb
from viper.ports.reset_line import start_application
from viper.sync import fat_journal, theirs, transfer
from viper.sync.file_plan import Found, SyncPlan
from viper.sync.over_repl import OtherFirmware, ReplTransport
from viper.sync.transfer import Choices
from viper.update import repartition
from viper.update.carry_over import CarryOver, DataKeeper, Tell, closed_for_writing
from viper.update.merging import Keeping

if TYPE_CHECKING:
    from viper.flash.esp_device import Device

_PROMPT_S = 5.0  # what a program may take to be interrupted, until it is stopped from without
_MARKED_PROMPT_S = 15.0  # what a device without a program may take from its reset to its prompt


class Flasher:
    """One request, from opening the port to starting the application."""

    def __init__(self, request: FlashRequest, channel: TextIO, held: HeldPort) -> None:
        self._request = request
        self._held = held
        self._channel = channel
        self._doing = "connecting"
        self._said = 0.0
        self._image = writing.load(request.image, request.root)
        self._usb = NativeUsb(request.url, f"PORT={request.port}")
        self._result = FlashResult()
        self._put_back: frozenset[str] = frozenset()  # what an interrupted sync was about

    def run(self) -> FlashResult:
        """Do what is requested.

        Raises:
            UserError: it cannot be done, and why.
        """
        request = self._request
        if request.goal not in (BACKUP, SYNC):
            self._image.refuse_other_device(port.parse(request.port))
        self._held.hold(request.url, called=f"PORT={request.port}")
        try:
            if request.goal == SYNC:
                pending = fat_journal.any_pending(request.stamps)
                if pending:
                    with self._chip():
                        pass  # what connecting to it does is all
                self._sync(starting=pending)
            elif request.goal == BACKUP:
                self._back_up()
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

        from viper.flash.esp_device import Device

        self._held.close_line()
        device = Device(self._request, self._usb)
        try:
            device.connect(self._image)
            self._note(mac=device.mac)
            self._recover(device)
            yield device
        except FatalError as error:
            raise self._silent(error) from None
        finally:
            device.start_application()
            self._note(reset_s=device.reset_s, stub_s=device.stub_s)
            self._count(device.written.bytes)

    def _recover(self, device: Device) -> None:
        """Put back what a sync that lost its device has left undone."""
        stamps = self._request.stamps
        journal = fat_journal.load(stamps, device.mac)
        if journal is None or self._request.goal == PLAN:
            return
        self._doing = "being put back to where it was before an interrupted sync"
        vfs = self._booted_table(device).find_named("vfs")
        if vfs is None:
            fat_journal.clear(stamps, device.mac)
            return
        read = filesystem_reader.sector_reader(
            lambda offset, size: device.read(vfs.offset + offset, size)
        )

        def write(first: int, content: bytes) -> None:
            device.write(vfs.offset + first * SECTOR_SIZE, content, lambda _: None)

        if fat_journal.put_back(journal, read, write):
            self._put_back = journal.touched
            self._note(put_back=True)
        fat_journal.clear(stamps, device.mac)

    def _back_up(self) -> None:
        with self._chip() as device:
            self._doing = "being read"
            self._note(backup=str(self._keeper(device).back_up()))

    def _flash(self, beside: bool = False) -> None:
        """Write what differs, and bring the files up to date.

        Args:
            beside: put the image's files beside the device's own from here, by sectors: its program
                lets nobody in.
        """
        request = self._request
        with self._chip() as device:
            self._doing = "telling what it holds"
            began = time.monotonic()
            keeper = self._keeper(device)
            image, carry = self._image, None
            if request.goal == RESTORE:
                carry = keeper.restore(request.source)
            elif request.goal == PLAN:
                image = self._planned(keeper)
            elif beside:
                carry = keeper.beside()
            else:
                carry = keeper.prepare(request.repartition)
            stamps = request.stamps
            session = carry.session(device, stamps) if carry else Session(image, device, stamps)
            plans = session.plan()
            self._refuse_unreadable(device, plans)
            planned = time.monotonic()
            if request.goal != PLAN:
                self._doing = "being written"
                if carry:
                    plans = closed_for_writing(device, plans)
                self._write(session, plans)
            self._note(
                parts=(*self._result.parts, *map(_part_result, plans)),
                confirm_s=planned - began,
                write_s=time.monotonic() - planned,
            )
        if carry:
            self._sync(starting=True, carry=carry)
            return
        for plan in plans:
            if plan.sectors is None and not self._holds_files(session, plan):
                # Of a firmware that is to be replaced nobody can say what its files will be.
                with suppress(OtherFirmware) if request.goal == PLAN else nullcontext():
                    try:
                        self._sync(starting=True, filesystem_md5=session.filesystem_md5(plan.part))
                    except NoPrompt:
                        if request.goal == PLAN:
                            raise
                        self._flash(beside=True)

    def _keeper(self, device: Device) -> DataKeeper:
        tell = Tell(
            line=lambda tag, text: self._say(tag=tag, line=text),
            total=lambda size, doing: self._say(total=size, doing=doing),
            progress=self._progress,
        )
        request = self._request
        stamp = device_stamp.load(request.stamps, device.mac)
        repartitions = " REPARTITION=keep" if request.repartition else ""
        keeping = Keeping(
            theirs.parse(request.theirs),
            [stamp.ownership.known(), *ownership.recorded(request.image)],
            f"{port.typed(request.goal, request.port)}{repartitions}",
        )
        return DataKeeper(self._image, device, request.backups, request.port, keeping, tell)

    def _planned(self, keeper: DataKeeper) -> Image:
        """The image as far as it can be planned: what moves has to be decided first."""
        fates = keeper.plan()
        self._note(moving=tuple((fate.name, fate.what, fate.text) for fate in fates))
        if not fates:
            return self._image
        parts = tuple(part for part in self._image.parts if part.kind != FILESYSTEM)
        return dataclasses.replace(self._image, parts=parts)

    def _refuse_unreadable(self, device: Device, plans: list[PartPlan]) -> None:
        """Stop before a file system that MicroPython cannot mount is taken for one with files."""
        for plan in plans:
            head = plan.part.region.offset, 2 * SECTOR_SIZE
            if plan.sectors is None and not filesystem_reader.kind(device.read(*head)):
                flash = port.typed("flash", self._request.port)
                raise UserError(
                    f"{plan.part.name} of {human_mac(device.mac)} holds no readable file system",
                    f"./scons backup keeps it as it is; {flash} REPARTITION=wipe starts anew",
                )

    def _write(self, session: Session, plans: list[PartPlan]) -> None:
        total = sum(part.size for part in map(_part_result, plans))
        if total:
            self._say(total=total, doing="FLASH")
        session.write(plans, self._progress)

    def _holds_files(self, session: Session, plan: PartPlan) -> bool:
        """Whether a file system that is not written by sectors is known to hold the files."""
        stamp = session.stamp
        held = session.filesystem_md5(plan.part)
        return stamp.ownership.is_of(self._image.ours) and stamp.files_md5 == held

    def _sync(
        self, starting: bool, filesystem_md5: bytes = b"", carry: CarryOver | None = None
    ) -> None:
        """Bring the files of a running device up to date.

        Args:
            starting: the device has been reset just now.
            filesystem_md5: what the chip has said of its file system, if it was asked.
            carry: what was carried over to it, and has to be there.
        """
        began = time.monotonic()
        try:
            self._sync_at_prompt(starting, filesystem_md5, carry, within_s=_PROMPT_S)
        except NoPrompt:
            if self._request.goal == PLAN or not self._marked():
                raise
            try:
                self._sync_at_prompt(True, filesystem_md5, carry, within_s=_MARKED_PROMPT_S)
            except NoPrompt:
                self._unmark()
                raise
        self._note(files_s=time.monotonic() - began)

    def _sync_at_prompt(
        self, starting: bool, filesystem_md5: bytes, carry: CarryOver | None, within_s: float
    ) -> None:
        self._doing = "updating its files"
        if starting:
            self._usb.after_reset()
        with self._held.repl(self._usb.url, self._request.again) as repl:
            sent_before = repl.written.bytes
            restart = True
            try:
                repl.enter(starting, within_s)
                device = ReplTransport(repl)
                if carry:
                    self._verify(device, carry)
                plan, serving = self._update(device, filesystem_md5)
                changed = plan.touches_application and self._request.goal != PLAN
                restart = repl.interrupted or changed or not serving
            finally:
                if restart:
                    start_application(repl.serial)
                else:
                    repl.leave()
            self._count(repl.written.bytes - sent_before)
        self._note(files_sent=plan.sent, files_deleted=plan.deleted, files_moved=plan.moved)

    def _marked(self) -> bool:
        """Reset a device so that it stops before its program; whether that can be done."""
        with self._chip() as device:
            self._doing = "being reset to its prompt"
            marked = start_mark.place(device, self._booted_table(device))
        if marked:
            self._say(tag="STOP", line="the program, which lets nobody in: reset to the prompt")
        return marked

    def _unmark(self) -> None:
        """Take back a mark that the device's firmware does not know."""
        with self._chip() as device:
            start_mark.remove(device, self._booted_table(device))

    def _booted_table(self, device: Device) -> PartitionTable:
        return partition_table.booted_by(device.read, self._image.flash_size)

    def _verify(self, device: ReplTransport, carry: CarryOver) -> None:
        """See that a device has the files that were carried over, and note that it is finished.

        Raises:
            UserError: it has not.
        """
        if carry.backup is not None:
            files = carry.own
            gone, other = transfer.compare(device, files, self._request.again)
            if gone:
                raise UserError(
                    f"{len(gone)} files are not on the device: {', '.join(gone[:3])}",
                    f"they are in {carry.backup.folder}",
                )
            # The chip's MD5 has shown that all was written: who changed them since is known.
            for path in other:
                self._say(tag="KEEP", line=f"{path}  the application has changed it already")
            device.make_folders(repartition.folders(carry.backup))
            self._note(carried=len(files))
        carry.finish()

    def _update(self, device: ReplTransport, filesystem_md5: bytes) -> tuple[SyncPlan, bool]:
        """Ask what there is and do what follows from it; also whether a server runs."""
        request, wanted = self._request, self._image.files
        found, plan = transfer.examine(
            device, wanted, request.stamps, self._choices(), request.again,
            recorded=lambda: ownership.recorded(request.image),
            put_back=self._put_back,
        )  # fmt: skip
        self._check(found)
        self._note(kept=plan.kept, others=tuple(transfer.not_ours(found, wanted)))
        if request.goal == PLAN:
            self._note(conflicts=tuple((each.path, each.why) for each in plan.conflicts))
            return plan, found.serving
        command = port.typed(request.goal, request.port)
        for conflict in plan.conflicts:
            self._say(tag="THEIRS", line=f"{conflict.path}  {conflict.why}")
        transfer.refuse_conflicts(plan.conflicts, command)
        if plan.changes:
            self._say(total=transfer.bytes_to_send(plan, wanted), doing="SYNC")
        guard = transfer.safeguard(device.read_sectors, found, plan, request.stamps)
        transfer.carry_out(
            device, found, plan, wanted, request.stamps, guard,
            self._progress,
            again=request.again,
            space=request.space,
            filesystem_md5=filesystem_md5,
        )  # fmt: skip
        return plan, found.serving

    def _choices(self) -> Choices:
        request = self._request
        return Choices(theirs.parse(request.theirs), request.delete_extras, request.space)

    def _check(self, manifest: Found) -> None:
        """Refuse a device that is not the one that was there, or that runs another build.

        Raises:
            UserError: it is.
        """
        request = self._request
        if self._result.mac is not None and self._result.mac != manifest.mac:
            was, now = human_mac(self._result.mac), human_mac(manifest.mac)
            raise UserError(
                f"PORT={request.port} was {was} and is {now} now",
                f"{request.again.split(':')[0]}, for the board that is to stay",
            )
        if request.goal != PLAN:
            flash = port.typed("flash", request.port)
            transfer.refuse_other_build(manifest, request.build, f"PORT={request.port}", flash)
        self._note(mac=manifest.mac)

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
