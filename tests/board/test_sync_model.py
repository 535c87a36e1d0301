# SPDX-License-Identifier: MIT
"""Any tree after any other, on a device with files of its own, whatever cuts the sync off.

What stands at the end is the new tree and all of the user's files, edited ones of ours among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from power_cuts import MAIN, PowerCuts, flash_with
from running_board import Board
from site_image import Site
from viper.base.errors import UserError
from viper.image import fat_names
from viper.virtual_board import control

NewBoard = Callable[..., Board]

# Names that FAT takes for one, names that are a file or a folder, aliases of others, plain ones.
# fmt: off
OURS = (
    "/www/Icons/a.svg", "/www/icons/a.svg", "/www/icons/b.svg", "/www/ICONS/B.svg",
    "/www/chart.js", "/www/chart.js/part", "/www/Chart.js/deep/part", "/www/Logo.png",
    "/www/logo.png", "/www/a-long-name.html", "/www/A-LONG~1.HTM", "/www/index.html",
    "/www/größe.txt", "/lib/x.py", "/lib/X.py", "/lib",
)
THEIRS = (
    "/www/Icons/mine.svg", "/www/uploads/a-long-name.jpg", "/www/chart.js/mine", "/notes.txt",
    "/www/icons2", "/lib/mine.py",
)
# fmt: on
CONTENTS = ("", "one", "other", "a" * 5000, "b" * 9000)


@dataclass(frozen=True)
class Case:
    """Two trees, what the user did on the device in between, and where the power fails."""

    old: dict[str, str]
    new: dict[str, str]
    edited: dict[str, str]  # of the files that both trees have
    own: dict[str, bytes]
    cut: int  # bytes programmed; a sync takes up to about 300,000
    boots_first: bool  # before this computer is there again


def fold(path: str) -> str:
    return fat_names.folded(path)


def fits(path: str, others: list[str]) -> bool:
    """Whether a path can stand beside others in any file system."""
    try:
        fat_names.check([*others, path])
    except UserError:
        return False
    one = fold(path)
    return not any(
        one == fold(other)
        or f"{fold(other)}/".startswith(f"{one}/")
        or one.startswith(f"{fold(other)}/")
        for other in others
    )


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    tree: dict[str, str] = {}
    for path in draw(st.lists(st.sampled_from(OURS), max_size=8, unique=True)):
        if fits(path, list(tree)):
            tree[path] = draw(st.sampled_from(CONTENTS))
    return {**tree, "/main.py": MAIN}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    old, new = draw(trees()), draw(trees())
    own: dict[str, bytes] = {}
    for path in draw(st.lists(st.sampled_from(THEIRS), max_size=4, unique=True)):
        if fits(path, [*old, *own]) and fits(path, list(new)):
            own[path] = draw(st.sampled_from(CONTENTS)).encode() + b"!"
    both = sorted(path for path in old if path in new and path != "/main.py")
    edited = draw(st.lists(st.sampled_from(both), max_size=2, unique=True)) if both else []
    return Case(
        old,
        new,
        dict.fromkeys(edited, "edited by the user"),
        own,
        cut=draw(st.integers(0, 300_000)),
        boots_first=draw(st.booleans()),
    )


@pytest.fixture(scope="module", params=["fat", "littlefs"])
def device(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    parts: dict[int, bytes],
    built: Path,
    new_shared_board: NewBoard,
) -> PowerCuts:
    site = Site(tmp_path_factory.mktemp("site"), parts, built)
    site.fs = request.param
    cuts = PowerCuts(new_shared_board(site.fs, flash=flash_with(site, {})), site)
    cuts.theirs = "keep"
    return cuts


def run(device: PowerCuts, case: Case) -> None:
    site = device.site
    site.texts = dict(case.old)
    edited = {path: text.encode() for path, text in case.edited.items()}
    device.before = flash_with(site, {**case.own, **edited})
    site.texts = dict(case.new)
    if device.cut(case.cut):
        if case.boots_first:
            known = len(device.board.log)
            control.power_on(device.board.folder)
            device.board.wait_for_log_after(known, b">>> ", b"corrupted")
            control.power_off(device.board.folder)
        device.put_back()
        control.power_on(device.board.folder)
        device.sync()
    device.sync()  # what the one before took out is served until then
    found = device.files()
    wanted = {**{path: text.encode() for path, text in case.new.items()}, **edited}
    assert {path: found.get(path) for path in wanted} == wanted
    rest = {spelt(device, path): data for path, data in found.items() if path not in wanted}
    assert rest == {spelt(device, path): data for path, data in case.own.items()}


def spelt(device: PowerCuts, path: str) -> str:
    """What tells a path from others; on FAT a user's file may be in a folder of ours."""
    return fold(path) if device.site.fs == "fat" else path


def examples(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@examples(6)
@given(case=cases())
def test_the_new_tree_and_all_of_the_users_files_stand(device: PowerCuts, case: Case) -> None:
    run(device, case)


@pytest.mark.long
@examples(60)
@given(case=cases())
def test_the_new_tree_and_all_of_the_users_files_stand_in_many_cases(
    device: PowerCuts, case: Case
) -> None:
    run(device, case)
