"""The files of a device brought up to date: asked, sent, put in their places.

What is said to the device goes through a Transport: viper.sync.over_repl, viper.sync.over_http.

Files are sent in batches. All files of a batch are complete and verified on the device, under other
names, before the first one takes its place; an interrupted batch goes on with what is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.base.schema import Record
from viper.flash import device_stamp
from viper.flash.writing import File
from viper.image.fat_volume import Damaged, FatVolume
from viper.image.sectors import SECTOR_SIZE
from viper.sync import fat_journal, file_plan
from viper.sync.file_plan import STAGE, Manifest, SyncPlan

PIECE = 12 * 1024  # bytes of a file in one call
PATHS = 100  # in one call
PATH_MAX = 512  # characters
MANIFEST_SIZE = 4 << 20  # bytes: more files than a file system of 16 MB has room for
_BATCH = 1024 * 1024  # bytes of files that are put in their places together

SectorReader = Callable[[Sequence[int]], dict[int, bytes]]


@dataclass(frozen=True)
class StagedFile:
    """A file that is to wait on the device until it takes its place."""

    name: str  # in file_plan.STAGE
    content: bytes
    sha256: str  # hex


class Transport(Protocol):
    """The calls of `viperhttp.sync` on a device. Each raises UserError when it fails there."""

    def manifest(self, scope: Sequence[str]) -> list[Record]:
        """What `entries` tells of files and folders."""

    def send(self, files: Iterable[StagedFile]) -> Iterator[int]:
        """Send files; after each exchange, how many bytes of them it has brought."""

    def commit(self, removed: Sequence[str], placed: Sequence[str]) -> None:
        """Remove files, and put others, name and path in turn, in their places."""

    def finish(self) -> None:
        """Say that nothing more is to come."""

    def abandon(self) -> None:
        """Leave the file system in order, of a device that still answers."""


class Safeguard(Protocol):
    """What makes a power cut harmless."""

    def save(self) -> None:
        """Called before a batch changes the file system."""

    def clear(self) -> None:
        """Called when the file system is in order again."""


class NothingToSave:
    """littlefs changes nothing in place; and without a serial port nothing can be put back."""

    def save(self) -> None:
        pass

    def clear(self) -> None:
        pass


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
        fat_journal.save(self._folder, self._mac, volume, self._plan.paths)

    def clear(self) -> None:
        fat_journal.clear(self._folder, self._mac)


def safeguard(read: SectorReader, manifest: Manifest, plan: SyncPlan, folder: Path) -> Safeguard:
    """What makes a power cut harmless on a device.

    Args:
        read: reads sectors of its file system.
        folder: where the devices' journals are kept.
    """
    if manifest.fs == "littlefs":
        return NothingToSave()
    return _FatSafeguard(read, folder, manifest.mac, plan)


def ask(transport: Transport, scope: Sequence[str], again: str) -> Manifest:
    """Fetch a device's manifest.

    Args:
        scope: files and folders on the device.
        again: the next step if the answer does not hold together.
    """
    answers = transport.manifest(scope)
    try:
        about, *files, end = answers
        if end.number("files") != len(files):
            raise ValueError("files are missing")
        found = {file.text("path", PATH_MAX): file.digits("sha256", 64) for file in files}
        return Manifest(
            build=about.word("build"),
            mac=about.mac("mac"),
            fs=about.word("fs"),
            free=about.number("free"),
            serving=about.truth("serving"),
            files={path: sha for path, sha in found.items() if not path.startswith(STAGE + "/")},
            staged=frozenset(
                path.rpartition("/")[2] for path in found if path.startswith(STAGE + "/")
            ),
        )
    except ValueError as why:
        raise UserError(f"the device's manifest cannot be understood: {why}", again) from None


def examine(
    transport: Transport, wanted: Mapping[str, File], stamps: Path, delete_extras: bool, again: str
) -> tuple[Manifest, SyncPlan]:
    """What a device has, and what has to be done about it.

    Args:
        stamps: the folder of the devices' stamps.
        delete_extras: remove what the image does not have.
        again: the next step if the device's answer does not hold together.
    """
    manifest = ask(transport, file_plan.scope({*wanted, *device_stamp.paths(stamps)}), again)
    ours = device_stamp.load(stamps, manifest.mac).files
    return manifest, file_plan.plan(wanted, ours, manifest.files, delete_extras)


def refuse_other_build(manifest: Manifest, build: str, called: str, next_step: str) -> None:
    """Stop before the files of one build come to a device that runs another.

    Args:
        called: how the user named the device: "PORT=/dev/ttyUSB0".

    Raises:
        UserError: it does.
    """
    if manifest.build != build:
        raise UserError(
            f"{called} runs build {manifest.build}, and {build} is built",
            next_step,
        )


def carry_out(
    transport: Transport,
    manifest: Manifest,
    plan: SyncPlan,
    wanted: Mapping[str, File],
    stamps: Path,
    safeguard: Safeguard,
    progress: Callable[[int], None],
    filesystem_md5: bytes = b"",
) -> None:
    """Do what a plan says, and note in the device's stamp what it holds.

    Args:
        stamps: the folder of the devices' stamps.
        safeguard: what a power cut is made harmless by.
        progress: takes how many bytes of the files have been sent so far.
        filesystem_md5: what the chip has said of its file system, if it was asked.

    Raises:
        UserError: the file system is full or fails, the device is silent, or a source has changed
            since the image was made.
    """
    digests = {path: file.sha256 for path, file in wanted.items()}
    stamp = device_stamp.load(stamps, manifest.mac)
    # Until all is done the device may hold files of either image.
    stamp.files = {**stamp.files, **digests}
    stamp.files_md5 = b""
    if plan.changes:
        device_stamp.save(stamps, stamp)
        _perform(transport, manifest, plan, wanted, safeguard, progress)
    else:
        stamp.files_md5 = filesystem_md5
    stamp.files = digests
    device_stamp.save(stamps, stamp)


def _perform(
    transport: Transport,
    manifest: Manifest,
    plan: SyncPlan,
    wanted: Mapping[str, File],
    safeguard: Safeguard,
    progress: Callable[[int], None],
) -> None:
    done = 0
    removed = plan.deleted
    batches = list(_batches(plan.sent, wanted, manifest.free))
    for batch in batches:
        names = {path: _stage_name(path, wanted) for path in batch}
        missing = [path for path in batch if names[path] not in manifest.staged]
        done += sum(wanted[path].source.stat().st_size for path in {*batch} - {*missing})
        with _guarded(transport, safeguard):
            for size in transport.send(_content(path, wanted) for path in missing):
                done += size
                progress(done)
            for at in range(0, max(len(removed), len(batch)), PATHS):
                pairs = [(names[path], path) for path in batch[at : at + PATHS]]
                transport.commit(removed[at : at + PATHS], list(chain.from_iterable(pairs)))
            if batch is batches[-1]:
                transport.finish()
        removed = ()


@contextmanager
def _guarded(transport: Transport, safeguard: Safeguard) -> Iterator[None]:
    """Have a device that still answers close what is half sent, when the work breaks off."""
    safeguard.save()
    try:
        yield
    except BaseException:
        with suppress(UserError, OSError):
            transport.abandon()
            safeguard.clear()
        raise
    safeguard.clear()


def compare(
    transport: Transport, files: Mapping[str, bytes], again: str
) -> tuple[list[str], list[str]]:
    """The files that a device has not, and those that it has otherwise.

    Args:
        again: the next step if the device's answer does not hold together.
    """
    found: dict[str, str] = {}
    paths = list(files)
    for at in range(0, len(paths), PATHS):
        found |= ask(transport, paths[at : at + PATHS], again).files
    there = [path for path in paths if path in found]
    other = [path for path in there if found[path] != hashlib.sha256(files[path]).hexdigest()]
    return [path for path in paths if path not in found], other


def bytes_to_send(plan: SyncPlan, wanted: Mapping[str, File]) -> int:
    """What `carry_out` reports in the end."""
    return sum(wanted[path].source.stat().st_size for path in plan.sent)


def _stage_name(path: str, wanted: Mapping[str, File]) -> str:
    """What a file is called until it takes its place: another content has another name."""
    return hashlib.sha256(f"{path}\0{wanted[path].sha256}".encode()).hexdigest()[:16]


def _batches(
    paths: Sequence[str], wanted: Mapping[str, File], free: int
) -> Iterator[tuple[str, ...]]:
    """Paths in their order, in batches that fit the free space; one at least."""
    batch: list[str] = []
    size = 0
    for path in paths:
        needed = wanted[path].source.stat().st_size + SECTOR_SIZE
        if batch and size + needed > min(_BATCH, free):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(path)
        size += needed
    yield tuple(batch)


def _content(path: str, wanted: Mapping[str, File]) -> StagedFile:
    file = wanted[path]
    content = file.source.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UserError(f"{file.source} is not what the image was made of", "./scons image")
    return StagedFile(_stage_name(path, wanted), content, file.sha256)
