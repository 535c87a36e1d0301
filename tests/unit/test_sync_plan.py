# SPDX-License-Identifier: MIT
"""The plan of a sync: what is sent, what is deleted, what stays."""

from __future__ import annotations

from pathlib import Path

from viper.flash.writing import File
from viper.sync import file_plan
from viper.sync.file_plan import SyncPlan


def file(sha256: str) -> File:
    return File(sha256, Path("/nonexistent"))


WANTED = {"/main.py": file("m"), "/www/same": file("1"), "/www/changed": file("2")}
FOUND = {"/main.py": "m", "/www/same": "1", "/www/changed": "0"}


def plan(
    found: dict[str, str], ours: dict[str, str] | None = None, delete: bool = True
) -> SyncPlan:
    return file_plan.plan(WANTED, ours or {}, found, delete)


def test_what_differs_or_is_missing_is_sent() -> None:
    assert plan(FOUND).sent == ("/www/changed",)
    assert plan({}).sent == tuple(WANTED)
    assert not plan({path: file.sha256 for path, file in WANTED.items()}).changes


def test_what_the_site_has_no_more_is_deleted_unless_told_otherwise() -> None:
    found = {**FOUND, "/www/old": "5"}
    assert plan(found).deleted == ("/www/old",)
    assert plan(found, delete=False).deleted == ()


def test_of_the_application_only_what_an_image_put_there_is_deleted_and_only_unedited() -> None:
    found = {**FOUND, "/dropped.py": "4", "/edited.py": "by the user", "/mine.py": "6"}
    ours = {"/dropped.py": "4", "/edited.py": "5", "/gone.py": "6"}
    assert plan(found, ours).deleted == ("/dropped.py",)


def test_the_scope_is_the_site_and_the_applications_files_by_name() -> None:
    paths = {*WANTED, "/lib/old.py", "/www/any"}
    assert file_plan.scope(paths) == ["/www", "/lib/old.py", "/main.py"]


def test_only_a_change_beside_the_site_needs_the_application_started_anew() -> None:
    assert not SyncPlan(("/www/a",), ("/www/b",)).touches_application
    assert SyncPlan(("/main.py",), ()).touches_application
    assert SyncPlan((), ("/wwwmain.py",)).touches_application
