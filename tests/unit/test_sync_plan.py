# SPDX-License-Identifier: MIT
"""The plan of a sync: what is placed, under which names, what goes, what stays the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.flash.writing import File
from viper.image.ownership import Ownership
from viper.sync import file_plan, theirs
from viper.sync.file_plan import Found, SyncPlan


def file(sha256: str, is_seed: bool = False) -> File:
    return File(sha256, Path("/nonexistent"), is_seed)


def plan(
    wanted: dict[str, str],
    ours: dict[str, str],
    there: dict[str, str] | None = None,
    *,
    fs: str = "fat",
    decided: str = "",
    delete: bool = True,
    seeds: tuple[str, ...] = (),
    **found: object,
) -> SyncPlan:
    """The plan for a device that has noted `ours`, and has that or what `there` says."""
    note = found.pop("ownership", None) or Ownership(ours, digest="noted")
    state = Found("", "", fs, 0, serving=True, ownership=note, files=there or ours, **found)  # type: ignore[arg-type]
    files = {path: file(sha256, path in seeds) for path, sha256 in wanted.items()}
    return file_plan.plan(files, ours, state, theirs.parse(decided), delete=delete)


def conflicts(plan: SyncPlan) -> list[str]:
    return [conflict.path for conflict in plan.conflicts]


OURS = {"/main.py": "m", "/www/same": "1", "/www/changed": "0"}


def test_what_differs_or_is_missing_is_sent() -> None:
    wanted = {**OURS, "/www/changed": "2", "/www/new": "3"}
    made = plan(wanted, OURS)
    assert made.sent == ("/www/changed", "/www/new")
    assert [placed.before for placed in made.placed] == ["", "0"]
    assert not plan(OURS, OURS).changes


def test_pages_change_after_the_files_that_they_name() -> None:
    wanted = {"/www/index.html": "2", "/www/a.css": "2", "/www/new.css": "2"}
    made = plan(wanted, {"/www/index.html": "1", "/www/a.css": "1"})
    assert [placed.path for placed in made.placed] == [
        "/www/new.css",
        "/www/a.css",
        "/www/index.html",
    ]


def test_what_the_site_has_no_more_is_served_until_the_next_sync() -> None:
    taken_out = {"/www/old": "5"}
    first = plan(OURS, {**OURS, **taken_out})
    assert first.deleted == ("/www/old",)
    assert first.intent == [(".", "/www/old", "5")]
    noted = Ownership(OURS, taken_out, digest="noted")
    second = plan(OURS, OURS, {**OURS, **taken_out}, ownership=noted)
    assert second.intent == [("-", "/www/old", "5")]
    assert second.deleted == ()
    assert not plan(OURS, {**OURS, **taken_out}, delete=False).changes


def test_what_the_application_has_no_more_goes_at_once() -> None:
    made = plan(OURS, {**OURS, "/lib/old.py": "5"})
    assert made.intent == [("-", "/lib/old.py", "5")]
    assert made.touches_application
    assert not plan(OURS, {**OURS, "/www/old": "5"}).touches_application


def test_what_the_user_put_there_is_nobodys_business() -> None:
    uploads = {"/www/uploads/a.jpg": 70_000}
    assert not plan(OURS, OURS, others=uploads).changes


@pytest.mark.parametrize("path", ["/main.py", "/www/changed"])
def test_a_file_that_was_edited_on_the_device_stops_with_its_name(path: str) -> None:
    wanted = {**OURS, path: "new"}
    there = {**OURS, path: "edited"}
    assert conflicts(plan(wanted, OURS, there)) == [path]
    assert conflicts(plan(OURS, OURS, there)) == [path]  # although nothing changed here
    others = {name: sha for name, sha in OURS.items() if name != path}
    assert conflicts(plan(others, OURS, there)) == [path]  # although it is to go


def test_the_words_decide_of_one_path_or_of_all() -> None:
    wanted = {**OURS, "/main.py": "new", "/www/changed": "new"}
    there = {**OURS, "/main.py": "edited", "/www/changed": "edited"}
    kept = plan(wanted, OURS, there, decided="keep")
    assert kept.kept == ("/main.py", "/www/changed") and not kept.placed
    lost = plan(wanted, OURS, there, decided="overwrite")
    assert lost.sent == ("/main.py", "/www/changed")
    assert {placed.before for placed in lost.placed} == {"edited"}
    one = plan(wanted, OURS, there, decided="overwrite:/main.py")
    assert conflicts(one) == ["/www/changed"] and one.sent == ("/main.py",)
    both = plan(wanted, OURS, there, decided="overwrite,keep:/main.py")
    assert both.sent == ("/www/changed",) and both.kept == ("/main.py",)


def test_what_was_kept_is_not_asked_again_until_either_side_changes() -> None:
    rest = {"/www/same": "1"}
    noted = Ownership(rest, kept={"/main.py": ("edited", "new")}, digest="noted")
    there = {**rest, "/main.py": "edited"}
    again = plan({**rest, "/main.py": "new"}, rest, there, ownership=noted)
    assert not again.changes and again.kept == ("/main.py",)
    for new, edited in (("newer", "edited"), ("new", "edited more")):
        found = {**rest, "/main.py": edited}
        asked = plan({**rest, "/main.py": new}, rest, found, ownership=noted)
        assert conflicts(asked) == ["/main.py"]
    agreed = plan({**rest, "/main.py": "edited"}, rest, there, ownership=noted)
    assert agreed.intent == [("=", "/main.py", "edited")]


def test_a_device_of_which_nothing_is_noted_has_of_ours_what_equals_the_image() -> None:
    there = {"/www/a": "1", "/www/b": "other"}
    made = plan({"/www/a": "1", "/www/b": "2"}, {}, there, ownership=Ownership())
    assert made.noted == (("=", "/www/a", "1"),)
    assert conflicts(made) == ["/www/b"]


@pytest.mark.parametrize("fs", ["fat", "littlefs"])
def test_a_folder_that_gets_another_case_is_renamed_where_names_have_none(fs: str) -> None:
    ours = {"/www/Icons/a.png": "1", "/www/Icons/b.png": "2", "/www/old": "3"}
    wanted = {"/www/icons/a.png": "1", "/www/icons/b.png": "2"}
    made = plan(wanted, ours, fs=fs)
    assert made.sent == ()
    if fs == "fat":
        assert made.intent == [(">", "/www/Icons", "/www/icons"), (".", "/www/old", "3")]
        assert made.deleted == ("/www/old",)
    else:
        assert {placed.copy_of for placed in made.placed} == set(ours) - {"/www/old"}
    after = Ownership(ours).after(made.intent, "noted")
    assert after.files == wanted


def test_a_file_that_gets_another_case_and_other_content_is_replaced() -> None:
    made = plan({"/www/logo.png": "2"}, {"/www/Logo.png": "1"})
    assert [(placed.path, placed.before) for placed in made.placed] == [("/www/logo.png", "1")]
    assert made.deleted == ()
    after = Ownership({"/www/Logo.png": "1"}).after(made.intent, "noted")
    assert after.files == {"/www/logo.png": "2"} and not after.retired


def test_a_users_file_in_a_folder_that_gets_another_case_stays_the_users() -> None:
    ours = {"/www/Icons/a.png": "1"}
    made = plan({"/www/icons/a.png": "1"}, ours, others={"/www/Icons/mine.png": 5})
    assert made.intent == [(">", "/www/Icons", "/www/icons")]
    assert made.touched == {"/www/Icons", "/www/icons"}


def test_a_users_file_that_differs_in_case_alone_is_in_the_way_of_a_fat() -> None:
    there = {"/www/Logo.png": "theirs"}
    wanted = {"/www/logo.png": "ours"}
    made = plan(wanted, {}, there, others={"/www/Logo.png": 5})
    assert conflicts(made) == ["/www/logo.png"]
    assert plan(wanted, {}, there, others={"/www/Logo.png": 5}, fs="littlefs").sent == (
        "/www/logo.png",
    )


def test_a_name_that_is_a_users_file_by_its_alias_is_in_the_way() -> None:
    """The device finds it, though no such name is listed."""
    made = plan({"/www/LONGNA~1.TXT": "ours"}, {}, {"/www/LONGNA~1.TXT": "theirs"})
    assert conflicts(made) == ["/www/LONGNA~1.TXT"]


def test_a_file_whose_short_name_is_wanted_stays_under_its_long_one() -> None:
    short, long = "/www/LONGNA~1.TXT", "/www/longname.txt"
    called = {short: {long: "theirs"}}
    made = plan({short: "ours"}, {}, called=called, others={long: 5})
    assert [each.record[:2] + each.record[4:] for each in made.placed] == [
        ("+", short, "theirs"),
        ("?", long, ""),
    ]
    assert made.placed[1].copy_of == long and made.sent == (short,) and not made.moved
    called = {short: {long: "old"}}
    made = plan({short: "ours", long: "new"}, {long: "old"}, called=called)
    assert [each.path for each in made.placed] == [short, long] and made.sent == (short, long)


def test_a_folder_may_become_a_file_and_a_file_a_folder() -> None:
    ours = {"/www/chart.js/a": "1", "/www/chart.js/b/c": "2"}
    made = plan({"/www/chart.js": "3"}, ours)
    assert {path for path, _ in made.cleared} == set(ours)
    assert made.sent == ("/www/chart.js",) and made.deleted == tuple(ours)
    back = plan(ours, {"/www/chart.js": "3"})
    assert back.cleared == (("/www/chart.js", "3"),)
    assert back.sent == tuple(ours)


def test_a_users_file_in_a_folder_that_is_to_be_a_file_decides() -> None:
    ours = {"/www/chart.js/a": "1"}
    there = {**ours, "/www/chart.js/mine": "theirs"}
    mine = {"others": {"/www/chart.js/mine": 5}}
    wanted = {"/www/chart.js": "3"}
    assert conflicts(plan(wanted, ours, there, **mine)) == ["/www/chart.js/mine"]
    lost = plan(wanted, ours, there, decided="overwrite", **mine)
    assert dict(lost.cleared) == there and lost.sent == ("/www/chart.js",)
    kept = plan(wanted, ours, there, decided="keep", **mine)
    assert not kept.placed and kept.kept == ("/www/chart.js",)
    assert not kept.cleared


def test_what_the_device_has_under_another_name_is_not_sent() -> None:
    made = plan({"/www/new.js": "1"}, {"/www/old.js": "1"})
    assert made.sent == () and made.deleted == ()
    assert made.moved == (("/www/old.js", "/www/new.js"),)
    assert made.noted == ((".", "/www/old.js", "1"),)


def test_what_the_device_compressed_of_a_file_goes_when_it_changes() -> None:
    ours = {"/www/a.css": "1", "/www/b.css": "1"}
    made = {"/www/a.css.gz": "z", "/www/b.css.gz": "z"}
    edited = plan({"/www/a.css": "2", "/www/b.css": "1"}, ours, made=made)
    assert edited.cleared == (("/www/a.css.gz", "z"),)
    assert not plan(ours, ours, made=made).changes
    shipped = plan({**ours, "/www/a.css.gz": "new"}, ours, made=made)
    assert [placed.before for placed in shipped.placed] == ["z"] and not shipped.conflicts


def test_a_seed_is_placed_once_and_is_the_users_then() -> None:
    first = plan({"/config.json": "1"}, {}, seeds=("/config.json",))
    assert first.sent == ("/config.json",)
    assert not Ownership().after(first.intent, "noted").files
    edited = plan({"/config.json": "1"}, {}, {"/config.json": "2"}, seeds=("/config.json",))
    assert not edited.changes and not edited.conflicts
    was_ours = plan({"/config.json": "1"}, {"/config.json": "1"}, seeds=("/config.json",))
    assert was_ours.intent == [("x", "/config.json")]


@pytest.mark.parametrize("text", ["kepe", "keep:main.py", "overwrite;keep"])
def test_other_words_decide_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="neither keep nor overwrite"):
        theirs.parse(text)
