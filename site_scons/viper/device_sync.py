"""The files of a device brought up to date over its REPL: asked, sent, put in their places.

Files are sent in batches. All files of a batch are complete and verified on the device, under other
names, before the first one takes its place; an interrupted batch goes on with what is there.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from viper.device_repl import DeviceRepl, literal, text
from viper.errors import UserError
from viper.flash_sectors import SECTOR_SIZE
from viper.flash_session import File
from viper.sync_plan import Manifest, SyncPlan

_EXCHANGE = 16 * 1024  # bytes of Python sent at a time: the device compiles it in its memory
_PIECE = 12 * 1024  # bytes of a file in one call
_BATCH = 1024 * 1024  # bytes of files that are put in their places together
_STAGE = "/.sync"  # where files wait on the device (firmware/python/viperhttp/sync.py)

Safeguard = Callable[[], AbstractContextManager[None]]
"""Entered before a batch changes the file system, and left when all of it is in its place."""


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
            files={path: sha for path, sha in found.items() if not path.startswith(_STAGE + "/")},
            staged=frozenset(
                path.rpartition("/")[2] for path in found if path.startswith(_STAGE + "/")
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
        progress: takes how many bytes of the files have been sent so far.

    Raises:
        UserError: the file system is full or fails, the device is silent, or a source has changed
            since the image was made.
    """
    done = 0
    removed = plan.deleted
    batches = list(_batches(plan.sent, wanted, manifest.free))
    for batch in batches:
        with safeguard(), _left_in_order(repl):
            for calls, size in _exchanges(batch, wanted, manifest.staged):
                repl.call(*calls)
                done += size
                progress(done)
            placed = [argument for path in batch for argument in (_stage_name(path, wanted), path)]
            last = [b"finish()"] if batch is batches[-1] else []
            repl.call(_commit(removed, placed), *last)
        removed = ()


@contextmanager
def _left_in_order(repl: DeviceRepl) -> Iterator[None]:
    """Have a device that still answers close what is half sent, when the work breaks off."""
    try:
        yield
    except BaseException:
        with suppress(UserError, OSError):
            repl.interrupt()
            repl.call(b"abandon()")
        raise


def bytes_to_send(plan: SyncPlan, wanted: Mapping[str, File]) -> int:
    """What `perform` reports in the end."""
    return sum(wanted[path].source.stat().st_size for path in plan.sent)


def _commit(removed: Sequence[str], placed: Sequence[str]) -> bytes:
    gone = b"".join(text(path) + b"," for path in removed)
    return b"commit((" + gone + b")," + b",".join(map(text, placed)) + b")"


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
