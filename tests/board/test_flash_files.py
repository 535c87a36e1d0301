"""Flashing a board whose file system holds more than the image: file by file, by mpremote."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flash_image import VFS, VFS_SIZE, FlashImage
from running_board import Board
from viper import flash_device, serial_handlers, vfs_image
from viper.device_files import DeviceFiles
from viper.errors import UserError
from viper.virtual_board import control

BUILT = Path(__file__).parents[2] / "build" / "VIRTUAL_N16R8" / "app.bin"

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
    """A flash image with MicroPython and a `vfs` made of files."""

    def __init__(self, folder: Path, parts: dict[int, bytes]) -> None:
        super().__init__(folder, parts)
        self.texts = {"/main.py": MAIN, "/www/index.html": "one", "/www/old.txt": "old"}
        self.texts[ODD_NAME] = "odd"

    def request(self, board: Board, **options: object):  # type: ignore[no-untyped-def]
        sources = {}
        for number, (path, text) in enumerate(self.texts.items()):
            sources[path] = self.folder / f"source-{number}"
            sources[path].write_text(text)
        image, index = self.folder / "vfs.img", self.folder / "vfs.json"
        vfs_image.write(image, index, sources, fs="fat", size=VFS_SIZE)
        self.contents[VFS] = image.read_bytes()
        self.files = {
            path: {"sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "source": source.name}
            for path, source in sources.items()
        }
        return super().request(board, **options)  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path, parts: dict[int, bytes]) -> Site:
    if not BUILT.exists():
        pytest.skip("needs the firmware: ./scons image")
    app = sorted(parts)[-1]
    return Site(tmp_path, parts | {app: BUILT.read_bytes()})


@pytest.fixture
def lived_in(board: Board, site: Site) -> Board:
    """A board that has booted, and so has written to its file system."""
    site.flash(board)
    wait_for_boots(board, 1)
    return board


def wait_for_boots(board: Board, count: int, within_s: float = 5.0) -> None:
    """Wait until the application has started so many times."""
    deadline = time.monotonic() + within_s
    log = board.folder / "console.log"
    while log.read_bytes().count(b"application runs\r\n") < count:
        assert time.monotonic() < deadline, log.read_bytes()[-1000:]
        time.sleep(0.01)


def on_device(board: Board, paths: list[str]) -> dict[str, str]:
    serial_handlers.register()
    with DeviceFiles(board.url, again="") as files:
        files.interrupt()
        return files.survey(paths)


def test_only_what_differs_is_sent_and_the_devices_own_files_stay(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/index.html"] = "two"
    site.texts["/www/new/deep/page.html"] = "new" * 9000
    del site.texts["/www/old.txt"]
    result = site.flash(lived_in)
    assert result.left_alone == ("vfs",)
    assert sorted(result.files_sent) == ["/www/index.html", "/www/new/deep/page.html"]
    assert result.files_deleted == ("/www/old.txt",)
    assert result.bytes_on_wire < 64 * 1024
    wait_for_boots(lived_in, 2)

    again = site.flash(lived_in)
    assert not again.changed
    wait_for_boots(lived_in, 3)
    found = on_device(lived_in, [*site.texts, "/www/old.txt", "/boots.txt"])
    for path, file in site.files.items():
        assert found[path] == file["sha256"], path
    assert found["/www/old.txt"] == ""
    assert found["/boots.txt"] != ""


def test_a_plan_names_the_files_and_sends_none(lived_in: Board, site: Site) -> None:
    site.texts[ODD_NAME] = "edited"
    result = site.flash(lived_in, plan_only=True)
    assert result.files_sent == (ODD_NAME,)
    wait_for_boots(lived_in, 2)
    assert on_device(lived_in, [ODD_NAME])[ODD_NAME] != site.files[ODD_NAME]["sha256"]


def test_a_source_that_is_missing_is_told_as_a_file(lived_in: Board, site: Site) -> None:
    site.texts[ODD_NAME] = "edited"
    request = site.request(lived_in)
    source = site.folder / str(site.files[ODD_NAME]["source"])
    source.unlink()
    with pytest.raises(UserError, match=f"{source}: No such file or directory"):
        flash_device.flash(request)
    wait_for_boots(lived_in, 2)


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


def test_an_interrupted_update_leaves_the_application_running_and_is_finished_later(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/large.txt"] = os.urandom(40_000).hex()
    request = flash_device._encode(site.request(lived_in))
    environment = os.environ | {"PYTHONPATH": "site_scons"}
    before = control.counters(lived_in.folder).bytes_programmed
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, request], stdout=subprocess.PIPE, env=environment
    ) as process:
        while control.counters(lived_in.folder).bytes_programmed < before + 20_000:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
    assert output.endswith(b"interrupted\n")
    wait_for_boots(lived_in, 2, within_s=2)
    result = site.flash(lived_in)
    assert result.files_sent == ("/www/large.txt",)
    found = on_device(lived_in, [*site.texts, "/www/large.txt.viper~"])
    assert found["/www/large.txt"] == site.files["/www/large.txt"]["sha256"]
    assert found["/www/large.txt.viper~"] == ""
