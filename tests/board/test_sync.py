# SPDX-License-Identifier: MIT
"""Files of a running virtual board brought up to date over its REPL."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flash_image import VFS_SIZE
from running_board import Board
from site_image import ODD_NAME, Site, on_device, sha256, wait_for_boots
from slowness import slowness
from viper.base.errors import UserError
from viper.device.held_port import HeldPort
from viper.device.repl import DeviceRepl
from viper.flash import jobs
from viper.flash.jobs import PLAN, SYNC
from viper.update import flasher
from viper.virtual_board import control


@pytest.fixture(params=["fat", "littlefs"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, parts: dict[int, bytes], built: Path
) -> Site:
    site = Site(tmp_path, parts, built)
    site.fs = request.param
    return site


only_fat = pytest.mark.parametrize("site", ["fat"], indirect=True)


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
    wait_for_boots(lived_in, 2)  # which writes to the file system too
    assert control.counters(lived_in.folder).bytes_programmed - before < 45 * 4096

    again = site.sync(lived_in)
    assert not again.changed
    wait_for_boots(lived_in, 3)
    found = on_device(lived_in)
    assert found.pop("/boots.txt") == sha256("xxx")
    assert found == {path: sha256(content) for path, content in site.texts.items()}


def test_a_name_by_which_fat_knows_another_file_is_a_name_of_its_own(
    lived_in: Board, site: Site
) -> None:
    with DeviceRepl(lived_in.url, again="") as repl:
        repl.enter()
        for path in ("/www/longname-of-mine.txt", "/www/longname-other.txt"):
            repl.run(f"with open({path!r}, 'w') as f: f.write('mine')".encode(), "write")
    site.texts["/www/longname-of-ours.txt"] = "ours"
    site.sync(lived_in)
    for name in ("longna~1.txt", "LONGNA~2.TXT", "longna~3.txt"):
        site.texts[f"/www/{name}"] = name
    assert sorted(site.sync(lived_in).files_sent) == [
        f"/www/{name}" for name in ("LONGNA~2.TXT", "longna~1.txt", "longna~3.txt")
    ]
    assert not site.sync(lived_in).changed
    found = on_device(lived_in)
    del found["/boots.txt"]
    mine = dict.fromkeys(("/www/longname-of-mine.txt", "/www/longname-other.txt"), sha256("mine"))
    assert found == mine | {path: sha256(text) for path, text in site.texts.items()}


@only_fat
def test_a_new_spelling_of_what_came_a_sync_ago_is_brought_once(
    lived_in: Board, site: Site
) -> None:
    site.texts |= {f"/www/Icons/{name}": name for name in ("a.svg", "b.svg", "c.svg")}
    site.sync(lived_in)
    for name in ("a.svg", "b.svg", "c.svg"):
        del site.texts[f"/www/Icons/{name}"]
    site.texts |= {"/www/icons/a.svg": "a.svg", "/www/icons/B.SVG": "another"}
    result = site.sync(lived_in)
    assert ("/www/Icons", "/www/icons") in result.files_moved
    assert result.files_sent == ("/www/icons/B.SVG",)
    del site.texts["/www/icons/a.svg"]
    site.texts["/www/icons/A.svg"] = "edited"
    assert site.sync(lived_in).files_sent == ("/www/icons/A.svg",)
    assert not site.sync(lived_in).changed
    found = on_device(lived_in)
    del found["/boots.txt"]
    assert found == {path: sha256(text) for path, text in site.texts.items()}


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
        jobs.flash(request)
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
def test_a_board_that_was_swapped_after_it_was_flashed_is_not_synced(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/index.html"] = "two"
    with HeldPort(os.getpid()) as held:
        job = flasher.Flasher(site.request(lived_in, goal=SYNC), io.StringIO(), held)
        job._note(mac="0123456789ab")  # what was flashed a moment ago
        with pytest.raises(UserError, match="was 01:23:45:67:89:ab and is "):
            job.run()
    assert on_device(lived_in)["/www/index.html"] == sha256("one")


@only_fat
def test_a_file_system_that_is_full_says_so_and_loses_nothing(lived_in: Board, site: Site) -> None:
    before = on_device(lived_in)
    site.texts["/www/huge.bin"] = "x" * (VFS_SIZE // 3)
    site.texts["/www/huger.bin"] = "y" * (VFS_SIZE // 3)
    request = site.request(lived_in, goal=SYNC)
    with DeviceRepl(lived_in.url, again="") as repl:
        repl.enter()
        repl.execute(
            b"with open('/mine.bin', 'wb') as f:\n f.seek(%d)\n f.write('x')" % (VFS_SIZE // 2)
        )
    with pytest.raises(UserError, match="file system is full"):
        jobs.flash(request)
    found = on_device(lived_in)
    assert {path: found[path] for path in before if path != "/boots.txt"} == {
        path: digest for path, digest in before.items() if path != "/boots.txt"
    }


INTERRUPTED = """
import sys, threading
from viper.update import flasher
from viper.flash import jobs
from viper.base import interrupt
interrupt.install()
request = jobs.decode_request(sys.argv[1])
try:
    jobs.flash(request)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupted_sync_leaves_the_application_running_and_goes_on_where_it_stopped(
    lived_in: Board, site: Site
) -> None:
    site.texts["/www/first.txt"] = os.urandom(40_000).hex()
    site.texts["/www/large.txt"] = os.urandom(150_000).hex()
    request = jobs._encode(site.request(lived_in, goal=SYNC))
    environment = os.environ | {"PYTHONPATH": "site_scons"}
    before = control.counters(lived_in.folder).bytes_programmed
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, request], stdout=subprocess.PIPE, env=environment
    ) as process:
        while control.counters(lived_in.folder).bytes_programmed < before + 120_000:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert output.endswith(b"interrupted\n")
    wait_for_boots(lived_in, 2, within_s=2 * slowness())
    result = site.sync(lived_in)
    assert set(result.files_sent) == {"/www/first.txt", "/www/large.txt"}
    assert result.bytes_on_wire < 210_000  # 238,000 with first.txt, which was complete
    found = on_device(lived_in)
    assert {path: digest for path, digest in found.items() if path != "/boots.txt"} == {
        path: sha256(content) for path, content in site.texts.items()
    }
