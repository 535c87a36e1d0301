# SPDX-License-Identifier: MIT
"""Power that fails during a sync: nothing of the user's is lost, and the next one ends it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from flash_image import SECTOR
from power_cuts import MAIN, PowerCuts, flash_with
from running_board import Board
from site_image import Site
from viper.flash import jobs
from viper.flash.jobs import SYNC
from viper.sync import fat_journal
from viper.virtual_board import control

NewBoard = Callable[..., Board]

OWN_FILES = {
    "/settings.json": b"{}" * 700,
    "/empty": b"",
    '/data/deep/er/it\'s "mine".txt'.replace('"', "_"): b"deep" * 5000,
    "/data/größe.bin": random.Random(1).randbytes(30_000),
    "/www/uploads/mine.jpg": random.Random(2).randbytes(9_000),
}
BEFORE = {
    "/main.py": MAIN,
    "/lib/helper.py": "x = 1\n",
    "/www/index.html": "one",
    "/www/old.txt": "old",
    "/www/Icons/a.svg": "a" * 5000,
    "/www/Icons/b.svg": "b" * 300,
    "/www/chart.js/part": "part",
}
EDITS: dict[str, Mapping[str, str | None]] = {
    "edited": {"/www/index.html": "edited" * 3000, "/main.py": MAIN + "print('edited')\n"},
    "added and deleted": {"/www/new/page.html": "new" * 9000, "/www/old.txt": None},
    "another case": {
        "/www/Icons/a.svg": None,
        "/www/Icons/b.svg": None,
        "/www/icons/a.svg": "a" * 5000,
        "/www/icons/b.svg": "b" * 300,
    },
    "another kind": {
        "/www/chart.js/part": None,
        "/www/chart.js": "whole" * 2000,
        "/lib/helper.py": None,
        "/lib/helper.py/x": "folder",
    },
    "another name": {"/www/Icons/a.svg": None, "/www/moved/a.svg": "a" * 5000},
}


@pytest.fixture(scope="module", params=["fat", "littlefs"])
def cuts(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    parts: dict[int, bytes],
    built: Path,
    new_shared_board: NewBoard,
) -> PowerCuts:
    site = Site(tmp_path_factory.mktemp("site"), parts, built)
    site.fs = request.param
    site.texts = dict(BEFORE)
    return PowerCuts(new_shared_board(site.fs, flash=flash_with(site, OWN_FILES)), site)


def edit(cuts: PowerCuts, kind: str) -> None:
    """Change the project's files in a way."""
    edits = EDITS[kind]
    texts = {path: text for path, text in BEFORE.items() if path not in edits}
    cuts.site.texts = texts | {path: text for path, text in edits.items() if text is not None}


def lost(cuts: PowerCuts) -> list[str]:
    """The user's files that are not as they were."""
    found = cuts.files()
    return [path for path, content in OWN_FILES.items() if found.get(path) != content]


def assert_done(cuts: PowerCuts) -> None:
    """The site is the new one, and the user's files are there."""
    assert not lost(cuts)
    cuts.sync()  # what the one before took out is served until then
    new = {path: text.encode() for path, text in cuts.site.texts.items()}
    assert cuts.files() == new | OWN_FILES


def run_matrix(cuts: PowerCuts, kind: str, points: int) -> None:
    edit(cuts, kind)
    cuts.start_over()
    total = cuts.total()
    for number in range(points):
        assert cuts.cut(total * (2 * number + 1) // (2 * points))
        cuts.put_back()
        assert not lost(cuts)
        control.power_on(cuts.board.folder)
        cuts.sync()
        assert_done(cuts)
    print(f"{cuts.site.fs}, {kind}: {points} cuts within {total} bytes, 0 files lost")


@pytest.mark.parametrize("kind", EDITS)
def test_a_sync_that_loses_power_loses_nothing_and_is_finished_by_the_next(
    cuts: PowerCuts, kind: str
) -> None:
    run_matrix(cuts, kind, 3)


@pytest.mark.long
@pytest.mark.parametrize("kind", EDITS)
def test_a_sync_that_loses_power_at_any_of_many_points_loses_nothing(
    cuts: PowerCuts, kind: str
) -> None:
    run_matrix(cuts, kind, 20)


def test_the_next_sync_puts_back_by_esptool_what_a_cut_has_left(cuts: PowerCuts) -> None:
    edit(cuts, "edited")
    cuts.start_over()
    cuts.cut(cuts.total() // 2)
    control.power_on(cuts.board.folder)
    result = jobs.flash(cuts.site.request(cuts.board, goal=SYNC))
    assert result.put_back == (cuts.site.fs == "fat")
    assert not fat_journal.any_pending(cuts.site.stamps)
    assert_done(cuts)


def test_a_device_ends_by_itself_what_was_cut_off_in_the_switch(cuts: PowerCuts) -> None:
    """It does so before the application starts, and without this computer. Of a FAT, whose torn
    sectors are put back from here alone, it does so where the cut falls between two of them."""
    edit(cuts, "edited")
    cuts.start_over()
    total = cuts.total()
    said = b"sync: ends what was cut off"
    torn = 1 if cuts.site.fs == "littlefs" else SECTOR
    for part in range(98, 60, -2):
        assert cuts.cut(total * part // 100 // torn * torn)
        known = len(cuts.board.log)
        control.power_on(cuts.board.folder)
        cuts.board.wait_for_log_after(known, b"application runs")
        if said in cuts.board.log[known:]:
            break
    else:
        pytest.fail("no cut fell into the switch")
    found = cuts.files()
    new = {path: text.encode() for path, text in cuts.site.texts.items()} | OWN_FILES
    assert {path: found.get(path) for path in new} == new
