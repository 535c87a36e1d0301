"""How files travel to a device: any content, few exchanges of bounded size, few bytes."""

from __future__ import annotations

import ast
import hashlib
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from viper.base.errors import UserError
from viper.device.repl import literal, text
from viper.flash.writing import File
from viper.sync import file_plan, over_repl, transfer
from viper.sync.file_plan import Manifest
from viper.sync.transfer import StagedFile


def file(folder: Path, name: str, content: bytes) -> File:
    (folder / name).write_bytes(content)
    return File(hashlib.sha256(content).hexdigest(), folder / name)


def exchanges(files: Mapping[str, File]) -> list[tuple[list[bytes], int]]:
    staged = [transfer._content(path, files) for path in files]
    return list(over_repl._exchanges(staged))


def argument(call: bytes) -> bytes:
    """The literal that a call is given, as MicroPython's lexer takes it: 8 bits as they are."""
    return ast.literal_eval(
        call.partition(b"(")[2].removesuffix(b")").decode("latin-1")[1:]
    ).encode("latin-1")


def test_any_byte_can_be_in_a_literal_and_none_that_the_raw_repl_acts_upon_is() -> None:
    content = bytes(range(256)) * 3
    written = literal(content)
    assert ast.literal_eval(written.decode("latin-1")[1:]).encode("latin-1") == content
    assert not set(written) & {0, 3, 4, 10, 13}
    assert ast.literal_eval(text('it\'s "ünï"').decode()) == 'it\'s "ünï"'


def test_content_of_any_kind_goes_through_in_exchanges_of_bounded_size(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(90_000) + b"the same again " * 4000
    sent = exchanges({"/www/any.bin": file(tmp_path, "any", content)})
    calls = [call for exchange, _ in sent for call in exchange]
    pieces = [
        zlib.decompress(argument(call)) if call.startswith(b"unpack") else argument(call)
        for call in calls[1:-1]
    ]
    assert b"".join(pieces) == content
    assert sum(size for _, size in sent) == len(content)
    assert all(sum(map(len, exchange)) <= 17 * 1024 for exchange, _ in sent)
    assert sum(map(len, calls)) < 90_000 * 1.1 + 4000
    assert {call.partition(b"(")[0] for call in calls} >= {b"write", b"unpack"}


def test_small_files_share_an_exchange(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), b"%d" % n * 50) for n in range(40)}
    assert len(exchanges(files)) == 1


class Device:
    """A transfer.Transport that keeps what it is told."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.placed: list[str] = []

    def manifest(self, scope: Sequence[str]) -> list[dict[str, Any]]:
        return []

    def send(self, files: Iterable[StagedFile]) -> Iterator[int]:
        for file in files:
            self.received.append(file.content)
            yield len(file.content)

    def commit(self, removed: Sequence[str], placed: Sequence[str]) -> None:
        self.placed += placed

    def finish(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def test_what_is_complete_on_the_device_is_not_sent_again(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), b"%d" % n) for n in range(3)}
    staged = frozenset({transfer._stage_name("/www/1", files)})
    manifest = Manifest("build", "0123456789ab", "fat", 1 << 20, True, {}, staged)
    plan = file_plan.plan(files, {}, manifest.files, delete=True)
    device, progress = Device(), []
    transfer.carry_out(
        device, manifest, plan, files, tmp_path, transfer.NothingToSave(), progress.append
    )
    assert device.received == [b"0", b"2"]
    assert set(device.placed[1::2]) == files.keys()
    assert progress[-1] == transfer.bytes_to_send(plan, files)


def test_files_are_committed_in_batches_that_fit_the_free_space(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), bytes(10_000)) for n in range(5)}
    assert list(transfer._batches(list(files), files, free=30_000)) == [
        ("/www/0", "/www/1"),
        ("/www/2", "/www/3"),
        ("/www/4",),
    ]
    assert list(transfer._batches([], files, free=0)) == [()]


def test_a_source_that_changed_since_the_image_was_made_is_refused(tmp_path: Path) -> None:
    changed = file(tmp_path, "index.html", b"then")
    changed.source.write_text("now")
    with pytest.raises(UserError, match=r"index\.html is not what the image was made of"):
        exchanges({"/index.html": changed})
