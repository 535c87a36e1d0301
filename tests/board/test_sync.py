"""Files of a running virtual board brought up to date over its REPL."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flash_image import VFS, VFS_SIZE, FlashImage
from running_board import Board
from viper import flash_device, serial_handlers, vfs_image
from viper.device_repl import DeviceRepl
from viper.errors import UserError
from viper.flash_device import PLAN, SYNC, FlashResult
from viper.virtual_board import control

# An application that writes to its own file system, and then never returns to the REPL.
MAIN = """
with open('/boots.txt', 'a') as f:
    f.write('x')
print('application runs')
while True:
    pass
"""
ODD_NAME = "/www/it's ünusual & long.txt"


class Site(FlashImage):
    """A flash image with the firmware and a `vfs` made of files."""

    def __init__(self, folder: Path, parts: dict[int, bytes], built: Path) -> None:
        outputs = built / "build" / "VIRTUAL_N16R8"
        app = sorted(parts)[-1]
        super().__init__(folder, parts | {app: (outputs / "app.bin").read_bytes()})
        self.build = json.loads((outputs / "build.json").read_text())["build"]
        self.fs = "fat"
        self.texts = {"/main.py": MAIN, "/www/index.html": "one", "/www/old.txt": "old"}
        self.texts[ODD_NAME] = "odd"

    def request(self, board: Board, **options: object):  # type: ignore[no-untyped-def]
        self.make()
        return super().request(board, **options)  # type: ignore[arg-type]

    def make(self) -> None:
        """Make the image of the file system."""
        sources = {}
        for number, (path, content) in enumerate(self.texts.items()):
            sources[path] = self.folder / f"source-{number}"
            sources[path].write_text(content)
        image, index = self.folder / "vfs.img", self.folder / "vfs.json"
        vfs_image.write(image, index, sources, fs=self.fs, size=VFS_SIZE)
        self.contents[VFS] = image.read_bytes()
        self.files = {
            path: {"sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "source": source.name}
            for path, source in sources.items()
        }

    def whole(self) -> bytes:
        """The flash of a board that the image was written to."""
        self.make()
        flash = bytearray(b"\xff" * (16 << 20))
        for offset, content in self.contents.items():
            flash[offset : offset + len(content)] = content
        return bytes(flash)

    def sync(self, board: Board) -> FlashResult:
        return self.flash(board, goal=SYNC)


@pytest.fixture(params=["fat", "littlefs"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, parts: dict[int, bytes], built: Path
) -> Site:
    site = Site(tmp_path, parts, built)
    site.fs = request.param
    return site


@pytest.fixture
def lived_in(new_board: Callable[..., Board], site: Site) -> Board:
    """A board that was flashed and has booted, and so has written to its file system."""
    board = new_board(flash=site.whole())
    wait_for_boots(board, 1)
    return board


only_fat = pytest.mark.parametrize("site", ["fat"], indirect=True)


def wait_for_boots(board: Board, count: int, within_s: float = 5.0) -> None:
    """Wait until the application has started so many times."""
    deadline = time.monotonic() + within_s
    log = board.folder / "console.log"
    while log.read_bytes().count(b"application runs\r\n") < count:
        assert time.monotonic() < deadline, log.read_bytes()[-1000:]
        time.sleep(0.01)


def on_device(board: Board) -> dict[str, str]:
    """The sha256 of every file of a device."""
    serial_handlers.register()
    with DeviceRepl(board.url, again="") as repl:
        repl.enter()
        answers = repl.call(b"manifest('')")
        repl.leave()
    return {answer["path"]: answer["sha256"] for answer in answers[1:-1]}


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_only_what_differs_is_sent_and_the_devices_own_files_stay(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/index.html"] = "two"
    site.texts["/www/new/deep/page.html"] = "new" * 9000
    del site.texts["/www/old.txt"]
    before = control.counters(lived_in.folder).bytes_programmed
    result = site.sync(lived_in)
    assert sorted(result.files_sent) == ["/www/index.html", "/www/new/deep/page.html"]
    assert result.files_deleted == ("/www/old.txt",)
    assert control.counters(lived_in.folder).bytes_programmed - before < 40 * 4096
    wait_for_boots(lived_in, 2)

    again = site.sync(lived_in)
    assert not again.changed
    wait_for_boots(lived_in, 3)
    found = on_device(lived_in)
    assert found.pop("/boots.txt") == sha256("xxx")
    assert found == {path: sha256(content) for path, content in site.texts.items()}


@only_fat
def test_flash_hands_a_file_system_that_is_there_to_sync(lived_in: Board, site: Site) -> None:
    site.texts["/www/index.html"] = "two"
    result = site.flash(lived_in)
    assert result.left_alone == ("vfs",)
    assert result.files_sent == ("/www/index.html",)
    assert result.bytes_written == 0
    wait_for_boots(lived_in, 2)
    plan = site.flash(lived_in, goal=PLAN)
    assert not plan.changed


@only_fat
def test_a_plan_names_the_files_and_sends_none(lived_in: Board, site: Site) -> None:
    site.texts[ODD_NAME] = "edited"
    result = site.flash(lived_in, goal=PLAN)
    assert result.files_sent == (ODD_NAME,)
    wait_for_boots(lived_in, 2)
    assert on_device(lived_in)[ODD_NAME] == sha256("odd")


@only_fat
def test_one_file_takes_few_bytes_however_small_it_is(lived_in: Board, site: Site) -> None:
    site.texts["/www/index.html"] = "1"
    assert site.sync(lived_in).bytes_on_wire <= 2 * 1 + 1024
    noise = os.urandom(512).hex()
    site.texts["/www/index.html"] = noise
    assert site.sync(lived_in).bytes_on_wire <= 2 * len(noise) + 1024


@only_fat
def test_a_source_that_is_missing_is_told_as_a_file(lived_in: Board, site: Site) -> None:
    site.texts[ODD_NAME] = "edited"
    request = site.request(lived_in, goal=SYNC)
    source = site.folder / str(site.files[ODD_NAME]["source"])
    source.unlink()
    with pytest.raises(UserError, match=f"{source}: No such file or directory"):
        flash_device.flash(request)
    wait_for_boots(lived_in, 2)


@only_fat
def test_a_device_that_runs_another_build_is_not_synced(lived_in: Board, site: Site) -> None:
    site.build = "0123456789abcdef"
    site.texts["/www/index.html"] = "two"
    with pytest.raises(UserError, match="and 0123456789abcdef is built") as caught:
        site.sync(lived_in)
    assert caught.value.next_step == "./scons flash PORT=virtual:bench"
    assert on_device(lived_in)["/www/index.html"] == sha256("one")


@only_fat
def test_a_file_system_that_is_full_says_so_and_loses_nothing(lived_in: Board, site: Site) -> None:
    before = on_device(lived_in)
    site.texts["/www/huge.bin"] = "x" * (VFS_SIZE // 3)
    site.texts["/www/huger.bin"] = "y" * (VFS_SIZE // 3)
    request = site.request(lived_in, goal=SYNC)
    with DeviceRepl(lived_in.url, again="") as repl:
        repl.enter()
        repl._run(
            b"with open('/mine.bin', 'wb') as f:\n f.seek(%d)\n f.write('x')" % (VFS_SIZE // 2)
        )
    with pytest.raises(UserError, match="file system is full"):
        flash_device.flash(request)
    found = on_device(lived_in)
    assert {path: found[path] for path in before if path != "/boots.txt"} == {
        path: digest for path, digest in before.items() if path != "/boots.txt"
    }


INTERRUPTED = """
import sys, threading
from viper import flash_device, interrupt
interrupt.install()
request = flash_device.decode_request(sys.argv[1])
try:
    flash_device.flash(request)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupted_sync_leaves_the_application_running_and_goes_on_where_it_stopped(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/first.txt"] = os.urandom(15_000).hex()
    site.texts["/www/large.txt"] = os.urandom(40_000).hex()
    request = flash_device._encode(site.request(lived_in, goal=SYNC))
    environment = os.environ | {"PYTHONPATH": "site_scons"}
    before = control.counters(lived_in.folder).bytes_programmed
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, request], stdout=subprocess.PIPE, env=environment
    ) as process:
        while control.counters(lived_in.folder).bytes_programmed < before + 60_000:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
    assert output.endswith(b"interrupted\n")
    wait_for_boots(lived_in, 2, within_s=2)
    result = site.sync(lived_in)
    assert set(result.files_sent) == {"/www/first.txt", "/www/large.txt"}
    assert result.bytes_on_wire < 85_000
    found = on_device(lived_in)
    assert {path: digest for path, digest in found.items() if path != "/boots.txt"} == {
        path: sha256(content) for path, content in site.texts.items()
    }
