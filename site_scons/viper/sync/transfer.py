# SPDX-License-Identifier: MIT
"""The files of a device brought up to date: asked, sent, put in their places.

What is said to the device goes through a Transport: viper.sync.over_repl, viper.sync.over_http.

A sync is a transaction. All new files wait on the device, complete and verified, under names of
their own; so does the intent, the list of what is done with them. Then the device carries it out,
or, if the power fails meanwhile, does so when it starts (firmware/python/sync_switch.py). What
waits there is found again by a sync that goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from viper.base import interrupt
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.base.schema import Nonsense, Record
from viper.flash import device_stamp
from viper.flash.writing import File
from viper.image import ownership
from viper.image.fat_volume import Damaged, FatVolume
from viper.image.ownership import Line, Ownership
from viper.image.sectors import SECTOR_SIZE
from viper.sync import fat_journal, file_plan
from viper.sync.file_plan import Conflict, Found, Placed, SyncPlan
from viper.sync.theirs import Theirs

PIECE = 12 * 1024  # bytes of a file in one call
PATHS = 100  # in one call
PATH_MAX = 512  # characters
ANSWERS_SIZE = 4 << 20  # bytes: more files than a file system of 16 MB has room for
INPLACE = "inplace"  # what SPACE may be

_BATCH = 1024 * 1024  # bytes of files after which an interrupted sync has not to start over
_KNOWN = 12  # digits of a digest that tell it from others
_STAMPS = 20  # devices whose notes need not be told again
_COUNT_MAX = 10_000  # files in a list
_GRACE_S = 60  # how long a page that is being loaded needs the files it names

T = TypeVar("T")
SectorReader = Callable[[Sequence[int]], dict[int, bytes]]


@dataclass(frozen=True)
class WaitingFile:
    """A file that is to wait on the device until it takes its place."""

    name: str  # in ownership.FOLDER
    content: bytes
    sha256: str  # hex


class Transport(Protocol):
    """The calls of `viperhttp.sync` on a device. Each raises UserError when it fails there."""

    def manifest(self, known: str) -> list[Record]:
        """What `entries` tells."""

    def look(self, paths: Sequence[str]) -> list[Record]:
        """What `found` tells of paths."""

    def send(self, files: Iterable[WaitingFile]) -> Iterator[int]:
        """Send files; after each exchange, how many bytes of them it has brought."""

    def copy(self, path: str, name: str, sha256: str) -> None:
        """Have a file wait whose content is at a path of the device."""

    def forget(self, names: Sequence[str]) -> list[Record]:
        """Remove files that wait; what `forgotten` tells."""

    def switch(self, name: str) -> list[Record]:
        """Do what an intent says that waits; what `switching` tells."""

    def abandon(self) -> None:
        """Leave the file system in order, of a device that still answers."""


class Safeguard(Protocol):
    """What makes a power cut harmless."""

    def save(self) -> None:
        """Called before the file system changes, when it is in order."""

    def clear(self) -> None:
        """Called when the work is done, or given up in order."""


class NothingToSave:
    """littlefs changes nothing in place; and without a serial port nothing can be put back."""

    def save(self) -> None:
        """See `Safeguard`."""

    def clear(self) -> None:
        """See `Safeguard`."""


class _FatSafeguard:
    """Tables and folders of a FAT, kept on the host; see viper.sync.fat_journal."""

    def __init__(self, read: SectorReader, folder: Path, mac: Mac, plan: SyncPlan) -> None:
        self._read = read
        self._folder = folder
        self._mac = mac
        self._plan = plan

    def save(self) -> None:
        try:
            volume = FatVolume(self._read)
        except Damaged as damage:
            raise UserError(
                f"the device's FAT is damaged: {damage}",
                "./scons backup saves what can be read; ./scons flash REPARTITION=wipe starts anew",
            ) from None
        fat_journal.save(self._folder, self._mac, volume, self._plan.touched)

    def clear(self) -> None:
        fat_journal.clear(self._folder, self._mac)


def safeguard(read: SectorReader, found: Found, plan: SyncPlan, folder: Path) -> Safeguard:
    """What makes a power cut harmless on a device.

    Args:
        read: reads sectors of its file system.
        folder: where the devices' journals are kept.
    """
    if found.fs == "littlefs":
        return NothingToSave()
    return _FatSafeguard(read, folder, found.mac, plan)


@dataclass(frozen=True)
class Choices:
    """What the user has decided of a sync."""

    theirs: Theirs
    delete: bool = True  # take out what is ours and not in the image
    space: str = ""  # INPLACE, or empty


# ---- What is there


def examine(
    transport: Transport,
    wanted: Mapping[str, File],
    stamps: Path,
    choices: Choices,
    again: str,
    *,
    recorded: Callable[[], Iterable[Mapping[str, str]]] = tuple,
    put_back: frozenset[str] = frozenset(),
) -> tuple[Found, SyncPlan]:
    """What a device has, and what has to be done about it.

    Args:
        stamps: the folder of the devices' stamps.
        again: the next step if the device's answer does not hold together.
        recorded: the sha256 by path of the files of builds that are kept, for a device that notes
            nothing of its files.
        put_back: paths that an interrupted sync was about, in a file system that was put back to
            before it.
    """
    notes = [stamp.ownership for stamp in device_stamp.every(stamps)[:_STAMPS]]
    found = _ask(transport, {note.digest: note for note in notes if note.digest}, again)
    stamp = device_stamp.load(stamps, found.mac)
    builds = [] if found.ownership.digest else [stamp.ownership.known(), *recorded()]
    paths = {path for build in builds for path in build}
    unknown = [path for path in sorted({*wanted, *paths}) if path not in found.files]
    found = _look(transport, found, unknown, again)
    ours = {**found.ownership.files}
    for path, sha256 in found.files.items():
        if path in put_back and path in ours:
            ours[path] = sha256
        if any(build.get(path) == sha256 for build in builds):
            ours[path] = sha256
    return found, file_plan.plan(wanted, ours, found, choices.theirs, delete=choices.delete)


def _ask(transport: Transport, known: Mapping[str, Ownership], again: str) -> Found:
    answers = transport.manifest(" ".join(digest[:_KNOWN] for digest in known))
    try:
        about, *told, end = answers
        if end.number("files") != len(told):
            raise ValueError("files are missing")
        return _found(about, told, known)
    except ValueError as why:
        raise UserError(f"the device's manifest cannot be understood: {why}", again) from None


def _found(about: Record, told: Sequence[Record], known: Mapping[str, Ownership]) -> Found:
    digest = about.digits("ours", 64) if about.text("ours") else ""
    noted = known.get(digest)
    if noted is None:
        lines = (answer.texts("ours", 5, PATH_MAX) for answer in told if "ours" in answer)
        noted = ownership.of_lines(lines, digest)
    files = {**noted.known(), **{path: there for path, (there, _) in noted.kept.items()}}
    others: dict[str, int] = {}
    made: dict[str, str] = {}
    for answer in told:
        if "sha256" in answer:
            files[answer.text("path", PATH_MAX)] = _digest(answer)
        elif "made" in answer:
            made[answer.text("path", PATH_MAX)] = answer.digits("made", 64)
        elif "size" in answer:
            others[answer.text("path", PATH_MAX)] = answer.number("size")
    fs = about.word("fs")
    fold = file_plan.folding(fs)
    spelt = {fold(path) for path in files}
    return Found(
        build=about.word("build"),
        mac=about.mac("mac"),
        fs=fs,
        free=about.number("free"),
        serving=about.truth("serving"),
        waiting=frozenset(about.texts("waiting", _COUNT_MAX)),
        switched_s=None if about.is_null("switched_s") else about.number("switched_s"),
        ownership=noted,
        files={path: sha256 for path, sha256 in files.items() if sha256},
        others={path: size for path, size in others.items() if fold(path) not in spelt},
        made=made,
    )


def _digest(answer: Record) -> str:
    """The SHA-256 of a file; empty if there is none."""
    return answer.digits("sha256", 64) if answer.text("sha256") else ""


def _look(transport: Transport, found: Found, paths: Sequence[str], again: str) -> Found:
    """What a device has at paths that its note does not have."""
    fold = file_plan.folding(found.fs)
    spelt = {fold(path): path for path in (*found.others, *found.files)}
    files = dict(found.files)
    folders = set()
    called = {}
    try:
        for at in range(0, len(paths), PATHS):
            for answer in transport.look(paths[at : at + PATHS]):
                if "folder" in answer:
                    folders.add(answer.text("folder", PATH_MAX))
                    continue
                path = answer.text("path", PATH_MAX)
                sha256 = answer.digits("sha256", 64)
                if "called" in answer:
                    called[path] = dict.fromkeys(
                        answer.texts("called", _COUNT_MAX, PATH_MAX), sha256
                    )
                else:
                    files.setdefault(spelt.get(fold(path), path), sha256)
    except ValueError as why:
        raise UserError(f"the device's manifest cannot be understood: {why}", again) from None
    return replace(found, files=files, folders=frozenset(folders), called=called)


def compare(
    transport: Transport, files: Mapping[str, bytes], again: str
) -> tuple[list[str], list[str]]:
    """The files that a device has not, and those that it has otherwise.

    Args:
        again: the next step if the device's answer does not hold together.
    """
    nothing = Found("", Mac("0" * 12), "littlefs", 0, serving=False)
    found = _look(transport, nothing, list(files), again).files
    there = [path for path in files if path in found]
    other = [path for path in there if found[path] != hashlib.sha256(files[path]).hexdigest()]
    return [path for path in files if path not in found], other


def not_ours(found: Found, wanted: Mapping[str, File]) -> list[str]:
    """The files of the site that are the user's, of a device that notes nothing of its files."""
    if found.ownership.digest:
        return []
    return [path for path in sorted(found.others) if path not in wanted]


# ---- What stops a sync


def refuse_other_build(found: Found, build: str, called: str, next_step: str) -> None:
    """Stop before the files of one build come to a device that runs another.

    Args:
        called: how the user named the device: "PORT=/dev/ttyUSB0".

    Raises:
        UserError: it does.
    """
    if found.build != build:
        raise UserError(
            f"{called} runs build {found.build}, and {build} is built",
            next_step,
        )


def refuse_conflicts(conflicts: Sequence[Conflict], command: str) -> None:
    """Stop before files of the user's would be lost.

    Args:
        command: what the user types to do the same again.

    Raises:
        UserError: there are some; it names the first, and the words that decide.
    """
    if conflicts:
        first, *others = conflicts
        more = f", and so it is with {len(others)} more" if others else ""
        raise UserError(
            f"{first.path} {first.why}{more}; nothing was changed",
            f"{command} THEIRS=keep leaves the device's files, THEIRS=overwrite loses them "
            f"(of one: THEIRS=overwrite:{first.path})",
        )


# ---- What is done


def carry_out(
    transport: Transport,
    found: Found,
    plan: SyncPlan,
    wanted: Mapping[str, File],
    stamps: Path,
    safeguard: Safeguard,
    progress: Callable[[int], None],
    *,
    again: str,
    space: str = "",
    filesystem_md5: bytes = b"",
) -> None:
    """Do what a plan says, and note in the device's stamp what it holds.

    Args:
        stamps: the folder of the devices' stamps.
        safeguard: what a power cut is made harmless by.
        progress: takes how many bytes of the files have been sent so far.
        again: the next step after work that broke off.
        space: INPLACE where new files may be put in the place of old ones one after the other.
        filesystem_md5: what the chip has said of its file system, if it was asked.

    Raises:
        UserError: the file system is full or fails, the device is silent, a file was changed
            meanwhile, or a source has changed since the image was made.
    """
    work = _Work(transport, found, wanted, safeguard, progress, again)
    stamp = device_stamp.load(stamps, found.mac)
    stamp.files_md5 = b"" if plan.changes else filesystem_md5
    try:
        if plan.changes:
            work.do(plan, space)
    finally:
        stamp.ownership = work.ownership
        device_stamp.save(stamps, stamp)


def bytes_to_send(plan: SyncPlan, wanted: Mapping[str, File]) -> int:
    """What `carry_out` reports in the end."""
    return sum(wanted[path].source.stat().st_size for path in plan.sent)


class _Work:
    """A plan carried out.

    Attributes:
        ownership: what the device notes.
    """

    def __init__(
        self,
        transport: Transport,
        found: Found,
        wanted: Mapping[str, File],
        safeguard: Safeguard,
        progress: Callable[[int], None],
        again: str,
    ) -> None:
        self._transport = transport
        self._found = found
        self._wanted = wanted
        self._safeguard = safeguard
        self._progress = progress
        self._again = again
        self._free = found.free
        self._sent = 0
        self.ownership = found.ownership

    def do(self, plan: SyncPlan, space: str) -> None:
        """Do all of it in one switch, or, with INPLACE where there is no room, in several."""
        names = {placed.name for placed in plan.placed}
        if left := sorted(self._found.waiting - names):
            with self._guarded():
                answers = self._transport.forget(left)
                self._free = self._last(answers, lambda answer: answer.number("free"))
        placed = [each for each in plan.placed if each.name not in self._found.waiting]
        if self._room(placed) > self._free:
            plan = self._without_retired(plan)
        needed = self._room(placed)
        if needed <= self._free:
            self._switch(plan.placed, plan.intent)
        elif space == INPLACE:
            self._in_place(plan)
        else:
            raise UserError(
                f"the device's file system is full: the new files need {human_size(needed)} beside "
                f"the old ones, and {human_size(self._free)} are free",
                "delete files there (mpremote connect PORT rm ...), or SPACE=inplace replaces one "
                "after the other: cut off, some are new and some old",
            )

    def _room(self, placed: Sequence[Placed]) -> int:
        """Bytes that files, their folders and the notes of a switch take."""
        sizes = [self._size(each) for each in placed]
        folders = {each.path.rpartition("/")[0] for each in placed}
        notes = len(ownership.note(self.ownership.known())) + sum(
            len("\t".join(each.record)) for each in placed
        )
        return sum(map(_rounded, sizes)) + (len(folders) + 2) * SECTOR_SIZE + 2 * _rounded(notes)

    def _size(self, placed: Placed) -> int:
        if placed.path not in self._wanted:
            return self._found.others.get(placed.path, 0)
        return self._wanted[placed.path].source.stat().st_size

    def _without_retired(self, plan: SyncPlan) -> SyncPlan:
        """Remove what the last sync has taken out, when no page needs it any more."""
        retired = [each for each in plan.removed if each[0] in self.ownership.retired]
        if retired:
            since = self._found.switched_s
            if since is not None and interrupt.requested(max(0, _GRACE_S - since)):
                raise KeyboardInterrupt
            self._switch((), [("-", *each) for each in retired])
        return replace(plan, removed=tuple(each for each in plan.removed if each not in retired))

    def _in_place(self, plan: SyncPlan) -> None:
        """Remove what goes, and replace what changes, as the free space allows."""
        gone = [("-", *record[1:]) for record in plan.noted if record[0] == "."]
        noted = [record for record in plan.noted if record[0] != "."]
        first = replace(plan, placed=(), noted=())
        self._switch((), [*first.intent, *gone])
        batch: list[Placed] = []
        for placed in plan.placed:
            if batch and self._room([*batch, placed]) > self._free:
                self._switch(batch, [each.record for each in batch])
                batch = []
            if placed.before and self._room([placed]) > self._free:
                self._switch((), [("-", placed.path, placed.before)])
            batch.append(placed)
        records = [each.record for each in batch]
        self._switch(batch, [*records, *noted])

    def _switch(self, placed: Sequence[Placed], intent: Sequence[Line]) -> None:
        """Have files wait on the device, and then an intent done."""
        if not intent:
            return
        missing = [each for each in placed if each.name not in self._found.waiting]
        waiting = {*placed} - {*missing}
        self._sent += sum(self._size(each) for each in waiting if not each.copy_of)
        with self._guarded():
            for number, batch in enumerate(self._batches(missing)):
                if number:
                    self._safeguard.save()
                self._transfer(batch)
            note = _waiting_file(ownership.encode(intent))
            for _ in self._transport.send([note]):
                pass
            changed, digest, free = self._last(self._transport.switch(note.name), _switched)
        if changed:
            if digest:
                self.ownership = Ownership()  # it is asked anew
            raise UserError(
                f"{changed[0]} was changed on the device while this went on", self._again
            )
        self.ownership = self.ownership.after(intent, digest)
        self._free = free

    def _last(self, answers: Sequence[Record], read: Callable[[Record], T]) -> T:
        """What the answer says that ends a call."""
        try:
            return read(answers[-1])
        except (IndexError, Nonsense):
            raise UserError("the device's answer is not whole", self._again) from None

    def _transfer(self, batch: Sequence[Placed]) -> None:
        for each in batch:
            if each.copy_of:
                self._transport.copy(each.copy_of, each.name, each.sha256)
        sent = (self._content(each) for each in batch if not each.copy_of)
        for size in self._transport.send(sent):
            self._sent += size
            self._progress(self._sent)

    def _content(self, placed: Placed) -> WaitingFile:
        file = self._wanted[placed.path]
        content = file.source.read_bytes()
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise UserError(f"{file.source} is not what the image was made of", "./scons image")
        return WaitingFile(placed.name, content, file.sha256)

    def _batches(self, placed: Sequence[Placed]) -> Iterator[list[Placed]]:
        batch: list[Placed] = []
        size = 0
        for each in placed:
            if batch and size + self._size(each) > _BATCH:
                yield batch
                batch, size = [], 0
            batch.append(each)
            size += self._size(each)
        if batch:
            yield batch

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Have a device that still answers close what is half sent, when the work breaks off."""
        self._safeguard.save()
        try:
            yield
        except BaseException:
            with suppress(UserError, OSError):
                self._transport.abandon()
                self._safeguard.clear()
            raise
        self._safeguard.clear()


def _switched(answer: Record) -> tuple[list[str], str, int]:
    """The paths that had changed, the digest of what is ours, the bytes that are free."""
    changed = answer.texts("changed", _COUNT_MAX, PATH_MAX)
    if "ours" not in answer:
        return changed, "", 0
    return changed, answer.digits("ours", 64), answer.number("free")


def _rounded(size: int) -> int:
    return -(-size // SECTOR_SIZE) * SECTOR_SIZE


def _waiting_file(content: bytes) -> WaitingFile:
    digest = hashlib.sha256(content).hexdigest()
    return WaitingFile(digest[:16], content, digest)
