"""The files of a device brought up to date over its REPL: asked, sent, put in their places.

Files are sent in batches. All files of a batch are complete and verified on the device, under other
names, before the first one takes its place; an interrupted batch goes on with what is there.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from viper import fat_journal
from viper.device_repl import DeviceRepl, literal, text
from viper.errors import UserError
from viper.fat_volume import Damaged, FatVolume
from viper.flash_sectors import SECTOR_SIZE, runs
from viper.flash_session import File
from viper.sync_plan import STAGE, Manifest, SyncPlan

_EXCHANGE = 16 * 1024  # bytes of Python sent at a time: the device compiles it in its memory
_PIECE = 12 * 1024  # bytes of a file in one call
_COMMIT = 100  # paths in one call
_BATCH = 1024 * 1024  # bytes of files that are put in their places together


class Safeguard(Protocol):
    """What makes a power cut harmless."""

    def save(self) -> None:
        """Called before a batch changes the file system."""

    def clear(self) -> None:
        """Called when the file system is in order again."""


class _NothingToSave:
    """littlefs changes nothing in place."""

    def save(self) -> None:
        pass

    def clear(self) -> None:
        pass


class _FatSafeguard:
    """Tables and folders of a FAT, kept on the host; see viper.fat_journal."""

    def __init__(self, repl: DeviceRepl, folder: Path, mac: str, plan: SyncPlan) -> None:
        self._repl = repl
        self._folder = folder
        self._mac = mac
        self._plan = plan

    def save(self) -> None:
        try:
            volume = FatVolume(lambda sectors: read_sectors(self._repl, sectors))
        except Damaged as damage:
            raise UserError(
                f"the device's FAT is damaged: {damage}",
                "./scons backup saves what can be read; ./scons flash REPARTITION=wipe starts anew",
            ) from None
        fat_journal.save(self._folder, self._mac, volume, self._plan.paths)

    def clear(self) -> None:
        fat_journal.clear(self._folder, self._mac)


def safeguard(repl: DeviceRepl, manifest: Manifest, plan: SyncPlan, folder: Path) -> Safeguard:
    """What makes a power cut harmless on a device.

    Args:
        folder: where the devices' journals are kept.
    """
    if manifest.fs == "littlefs":
        return _NothingToSave()
    return _FatSafeguard(repl, folder, manifest.mac, plan)


def ask(repl: DeviceRepl, scope: Sequence[str], again: str) -> Manifest:
    """Fetch a device's manifest, in one exchange.

    Args:
        scope: files and folders on the device.
        again: the next step if the answer does not hold together.
    """
    answers = repl.call(b"manifest(" + b",".join(map(text, scope)) + b")")
    try:
        about, *files, end = answers
        if end["files"] != len(files):
            raise ValueError
        found = {str(file["path"]): str(file["sha256"]) for file in files}
        return Manifest(
            build=about["build"],
            mac=about["mac"],
            fs=about["fs"],
            free=about["free"],
            serving=about["serving"],
            files={path: sha for path, sha in found.items() if not path.startswith(STAGE + "/")},
            staged=frozenset(
                path.rpartition("/")[2] for path in found if path.startswith(STAGE + "/")
            ),
        )
    except (ValueError, KeyError):
        raise UserError("the device's manifest is not whole", again) from None


def perform(
    repl: DeviceRepl,
    manifest: Manifest,
    plan: SyncPlan,
    wanted: Mapping[str, File],
    safeguard: Safeguard,
    progress: Callable[[int], None],
) -> None:
    """Do what a plan says.

    Args:
        safeguard: what a power cut is made harmless by.
        progress: takes how many bytes of the files have been sent so far.

    Raises:
        UserError: the file system is full or fails, the device is silent, or a source has changed
            since the image was made.
    """
    done = 0
    removed = plan.deleted
    batches = list(_batches(plan.sent, wanted, manifest.free))
    for batch in batches:
        with _guarded(repl, safeguard):
            for calls, size in _exchanges(batch, wanted, manifest.staged):
                repl.call(*calls)
                done += size
                progress(done)
            for call in _commits(removed, [(_stage_name(path, wanted), path) for path in batch]):
                repl.call(call)
            if batch is batches[-1]:
                repl.call(b"finish()")
        removed = ()


@contextmanager
def _guarded(repl: DeviceRepl, safeguard: Safeguard) -> Iterator[None]:
    """Have a device that still answers close what is half sent, when the work breaks off."""
    safeguard.save()
    try:
        yield
    except BaseException:
        with suppress(UserError, OSError):
            repl.interrupt()
            repl.call(b"abandon()")
            safeguard.clear()
        raise
    safeguard.clear()


def compare(
    repl: DeviceRepl, files: Mapping[str, bytes], again: str
) -> tuple[list[str], list[str]]:
    """The files that a device has not, and those that it has otherwise.

    Args:
        again: the next step if the device's answer does not hold together.
    """
    found: dict[str, str] = {}
    paths = list(files)
    for at in range(0, len(paths), _COMMIT):
        found |= ask(repl, paths[at : at + _COMMIT], again).files
    there = [path for path in paths if path in found]
    other = [path for path in there if found[path] != hashlib.sha256(files[path]).hexdigest()]
    return [path for path in paths if path not in found], other


def make_folders(repl: DeviceRepl, folders: Sequence[str]) -> None:
    """Make the folders that are not there."""
    for at in range(0, len(folders), _COMMIT):
        repl.call(b"make_folders(" + b",".join(map(text, folders[at : at + _COMMIT])) + b")")


def read_sectors(repl: DeviceRepl, sectors: Sequence[int]) -> dict[int, bytes]:
    """Sectors of the device's file system, in one exchange."""
    spans = b",".join(b"%d,%d" % (run.first, run.count) for run in runs(sorted(sectors)))
    answers = repl.call(b"sectors(" + spans + b")")
    return {answer["sector"]: b64decode(answer["data"]) for answer in answers}


def bytes_to_send(plan: SyncPlan, wanted: Mapping[str, File]) -> int:
    """What `perform` reports in the end."""
    return sum(wanted[path].source.stat().st_size for path in plan.sent)


def _commits(removed: Sequence[str], placed: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    """The calls that remove files and put others, by name and path, in their places."""
    for at in range(0, max(len(removed), len(placed)), _COMMIT):
        gone = b"".join(text(path) + b"," for path in removed[at : at + _COMMIT])
        names = [word for pair in placed[at : at + _COMMIT] for word in pair]
        yield b"commit(" + b",".join([b"(" + gone + b")", *map(text, names)]) + b")"


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


def _exchanges(
    paths: Sequence[str], wanted: Mapping[str, File], staged: frozenset[str]
) -> Iterator[tuple[list[bytes], int]]:
    """The calls that send files, as many to an exchange as fit it, and the bytes of files sent."""
    exchange: list[bytes] = []
    length = size = 0
    for path in paths:
        if _stage_name(path, wanted) in staged:
            size += wanted[path].source.stat().st_size
            continue
        for call, sent in _calls(path, wanted):
            if length + len(call) > _EXCHANGE:
                yield exchange, size
                exchange, length, size = [], 0, 0
            exchange.append(call)
            length += len(call)
            size += sent
    if exchange:
        yield exchange, size


def _calls(path: str, wanted: Mapping[str, File]) -> Iterator[tuple[bytes, int]]:
    """The calls that send one file, and how many bytes of it each sends."""
    file = wanted[path]
    content = file.source.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UserError(f"{file.source} is not what the image was made of", "./scons image")
    yield b"begin(" + text(_stage_name(path, wanted)) + b")", 0
    for at in range(0, len(content), _PIECE):
        piece = content[at : at + _PIECE]
        plain = literal(piece)
        packed = literal(zlib.compress(piece, 9))
        if len(packed) < len(plain):
            yield b"unpack(" + packed + b")", len(piece)
        else:
            yield b"write(" + plain + b")", len(piece)
    yield b"end(" + text(file.sha256) + b")", 0
