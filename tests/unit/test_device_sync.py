# SPDX-License-Identifier: MIT
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
from viper.base.mac import Mac
from viper.base.schema import Record
from viper.device.repl import literal, text
from viper.flash import device_stamp
from viper.flash.writing import File
from viper.image.ownership import Ownership
from viper.sync import file_plan, over_repl, theirs, transfer
from viper.sync.file_plan import Conflict, Found, Placed
from viper.sync.transfer import WaitingFile

MAC = Mac("0123456789ab")
NOTED = "ab" * 32


def file(folder: Path, name: str, content: bytes) -> File:
    (folder / name).write_bytes(content)
    return File(hashlib.sha256(content).hexdigest(), folder / name)


def exchanges(files: Mapping[str, File]) -> list[tuple[list[bytes], int]]:
    waiting = [
        WaitingFile(Placed(path, file.sha256, "").name, file.source.read_bytes(), file.sha256)
        for path, file in files.items()
    ]
    return list(over_repl._exchanges(waiting))


def argument(call: bytes) -> bytes:
    """The literal that a call is given, as MicroPython's lexer takes it: 8 bits as they are."""
    return ast.literal_eval(
        call.partition(b"(")[2].removesuffix(b")").decode("latin-1")[1:]
    ).encode("latin-1")


def test_any_byte_can_be_in_a_literal_and_none_that_the_raw_repl_acts_upon_is() -> None:
    content = bytes(range(256)) * 3 + b"".join(b"%c7" % byte for byte in range(256))
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
    assert sum(map(len, calls)) < 90_000 * 1.035 + 4000
    assert {call.partition(b"(")[0] for call in calls} >= {b"write", b"unpack"}


def test_small_files_share_an_exchange(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), b"%d" % n * 50) for n in range(40)}
    assert len(exchanges(files)) == 1


class Device:
    """A transfer.Transport that keeps what it is told."""

    def __init__(self, free: int = 1 << 20) -> None:
        self.free = free
        self.received: list[bytes] = []
        self.intents: list[str] = []
        self.forgotten: list[str] = []

    def manifest(self, known: str) -> list[Record]:
        return []

    def look(self, paths: Sequence[str]) -> list[Record]:
        return []

    def send(self, files: Iterable[WaitingFile]) -> Iterator[int]:
        for file in files:
            self.received.append(file.content)
            yield len(file.content)

    def copy(self, path: str, name: str, sha256: str) -> None:
        pass

    def forget(self, names: Sequence[str]) -> list[Record]:
        self.forgotten += names
        return [Record({"free": self.free})]

    def switch(self, name: str) -> list[Record]:
        self.intents.append(self.received.pop().decode())
        return [Record({"step": 0}), Record({"changed": [], "ours": NOTED, "free": self.free})]

    def abandon(self) -> None:
        pass


def carry_out(
    device: Device, wanted: Mapping[str, File], folder: Path, *, space: str = "", **found: Any
) -> list[int]:
    """Bring files to a device; the progress that was told."""
    note = found.pop("ownership", Ownership(digest=NOTED))
    state = Found("build", MAC, "fat", device.free, True, ownership=note, **found)
    plan = file_plan.plan(wanted, note.files, state, theirs.parse(""), delete=True)
    progress: list[int] = []
    transfer.carry_out(
        device, state, plan, wanted, folder, transfer.NothingToSave(), progress.append,
        again="again",
        space=space,
    )  # fmt: skip
    return progress


def test_what_is_complete_on_the_device_is_not_sent_again(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), b"%d" % n) for n in range(3)}
    waiting = Placed("/www/1", files["/www/1"].sha256, "").name
    device = Device()
    progress = carry_out(device, files, tmp_path, waiting=frozenset({waiting, "of another tree"}))
    assert device.received == [b"0", b"2"]
    assert device.forgotten == ["of another tree"]
    assert [line.split("\t")[1] for line in device.intents[0].splitlines()] == list(files)
    assert progress[-1] == 3


def test_all_takes_its_place_in_one_switch_and_is_noted_here_too(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), bytes([n]) * 10_000) for n in range(5)}
    device = Device()
    carry_out(device, files, tmp_path)
    assert len(device.intents) == 1
    noted = device_stamp.load(tmp_path, MAC).ownership
    assert noted.files == {path: file.sha256 for path, file in files.items()}
    assert noted.digest == NOTED


def test_what_does_not_fit_is_told_with_both_sizes_before_anything_is_sent(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), bytes([n]) * 10_000) for n in range(5)}
    device = Device(free=40_000)
    with pytest.raises(UserError, match=r"need 8\d KiB beside the old ones, and 39.1 KiB are free"):
        carry_out(device, files, tmp_path)
    assert not device.received and not device.intents


def test_one_after_the_other_where_the_user_says_so(tmp_path: Path) -> None:
    files = {f"/www/{n}": file(tmp_path, str(n), bytes([n]) * 10_000) for n in range(5)}
    device = Device(free=40_000)
    note = Ownership({"/www/0": "before", "/www/old": "before"}, digest=NOTED)
    there = {"/www/0": "before", "/www/old": "before"}
    carry_out(device, files, tmp_path, space="inplace", ownership=note, files=there)
    assert device.intents[0] == "-\t/www/old\tbefore\n"
    placed = [line.split("\t")[1] for intent in device.intents[1:] for line in intent.splitlines()]
    assert sorted(placed) == sorted(files)
    assert len(device.intents) > 2


def test_what_the_last_sync_took_out_makes_room_for_this_one(tmp_path: Path) -> None:
    files = {"/www/new": file(tmp_path, "new", bytes(30_000))}
    device = Device(free=20_000)
    note = Ownership(retired={"/www/old": "old"}, digest=NOTED)
    with pytest.raises(UserError, match="full"):
        carry_out(device, files, tmp_path, ownership=note, files={"/www/old": "old"})
    assert device.intents == ["-\t/www/old\told\n"]


@pytest.mark.parametrize(
    ("switched_s", "waits"), [(0, 60), (45, 15), (60, 0), (500, 0), (None, None)]
)
def test_names_that_were_taken_out_stay_for_a_minute_where_space_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switched_s: int | None, waits: int | None
) -> None:
    """A page that was fetched before the last switch may still ask for them; None: it restarted."""
    files = {"/www/new": file(tmp_path, "new", bytes(30_000))}
    note = Ownership(retired={"/www/old": "old"}, digest=NOTED)
    waited: list[tuple[float, list[str]]] = []

    class Roomier(Device):
        def switch(self, name: str) -> list[Record]:
            self.free = 100_000
            return super().switch(name)

    def wait(timeout: float) -> bool:
        waited.append((timeout, list(device.intents)))
        return False

    monkeypatch.setattr(transfer.interrupt, "requested", wait)
    device = Roomier(free=20_000)
    there = {"/www/old": "old"}
    carry_out(device, files, tmp_path, ownership=note, files=there, switched_s=switched_s)
    assert waited == ([] if waits is None else [(waits, [])])
    assert device.intents[0] == "-\t/www/old\told\n"
    assert device.received == [bytes(30_000)]


def test_names_that_were_taken_out_are_not_waited_for_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer.interrupt, "requested", lambda timeout: pytest.fail("it waits"))
    files = {"/www/new": file(tmp_path, "new", bytes(30_000))}
    note = Ownership(retired={"/www/old": "old"}, digest=NOTED)
    device = Device()
    carry_out(device, files, tmp_path, ownership=note, files={"/www/old": "old"}, switched_s=0)
    assert len(device.intents) == 1


def test_an_interrupt_ends_the_minute_and_loses_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer.interrupt, "requested", lambda timeout: True)
    files = {"/www/new": file(tmp_path, "new", bytes(30_000))}
    note = Ownership(retired={"/www/old": "old"}, digest=NOTED)
    device = Device(free=20_000)
    with pytest.raises(KeyboardInterrupt):
        carry_out(device, files, tmp_path, ownership=note, files={"/www/old": "old"}, switched_s=0)
    assert not device.intents and not device.received


def test_a_file_that_changed_meanwhile_is_named(tmp_path: Path) -> None:
    class Changed(Device):
        def switch(self, name: str) -> list[Record]:
            return [Record({"changed": ["/www/0"]})]

    files = {"/www/0": file(tmp_path, "0", b"new")}
    with pytest.raises(UserError, match="/www/0 was changed on the device") as raised:
        carry_out(Changed(), files, tmp_path)
    assert raised.value.next_step == "again"


def test_a_source_that_changed_since_the_image_was_made_is_refused(tmp_path: Path) -> None:
    changed = file(tmp_path, "index.html", b"then")
    changed.source.write_text("now")
    with pytest.raises(UserError, match=r"index\.html is not what the image was made of"):
        carry_out(Device(), {"/index.html": changed}, tmp_path)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (["/a"], "/a is yours; nothing was changed"),
        (["/a", "/b", "/c"], "/a is yours, and so it is with 2 more; nothing was changed"),
    ],
)
def test_files_in_the_way_are_counted(paths: list[str], told: str) -> None:
    conflicts = [Conflict(path, "is yours") for path in paths]
    with pytest.raises(UserError) as refused:
        transfer.refuse_conflicts(conflicts, "./scons sync")
    assert refused.value.what == told
