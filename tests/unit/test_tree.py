# SPDX-License-Identifier: MIT
"""A folder of sources: what is in it, what is passed over, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.source.ignored import IgnoreList
from viper.source.tree import Tree, Trees


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the project in the working folder; `outside` is none of its."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/far.txt").write_text("far")
    (tmp_path / "project/www/css").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    Path("build").mkdir()
    Path("www/index.html").write_text("page")
    Path("www/css/app.css").write_text("style")
    return Path("www")


def trees() -> Trees:
    return Trees(Contents(Path("build/contents.json")), IgnoreList(Path("build/ignored.json")))


def find(**how: bool) -> Tree:
    return trees().find("www", **how)


def test_every_file_is_in_it_by_its_path(folder: Path) -> None:
    assert list(find().files) == ["www/css/app.css", "www/index.html"]
    assert find().digest == find().digest


@pytest.mark.parametrize(
    "change",
    [
        "echo more >>www/index.html",
        "printf else >www/index.html",
        "mv www/index.html www/Index.html",
        "rm www/index.html",
        "touch www/new",
        "mv www/css www/styles",
        "mv www/index.html x && ln -s ../x www/other.html",
    ],
)
def test_every_change_gives_another_digest(folder: Path, change: str) -> None:
    before = find().digest
    assert os.system(change) == 0
    assert find().digest != before


def test_a_link_to_the_same_content_is_the_same(folder: Path) -> None:
    before = find()
    Path("www/index.html").rename("page")
    Path("www/index.html").symlink_to("../page")
    assert find().digest == before.digest


def test_whether_a_file_may_be_run_counts_where_it_matters(folder: Path) -> None:
    before, plain = find(modes=True), find()
    Path("www/index.html").chmod(0o755)
    assert find(modes=True).digest != before.digest
    assert find().digest == plain.digest


def test_links_within_the_project_are_followed(folder: Path) -> None:
    Path("shared/deep").mkdir(parents=True)
    Path("shared/deep/a.js").write_text("")
    Path("www/shared").symlink_to("../shared")
    Path("www/a.js").symlink_to("shared/deep/a.js")
    assert {"www/shared/deep/a.js", "www/a.js"} <= set(find().files)


@pytest.mark.parametrize("target", ["../../outside", "../../outside/far.txt"])
def test_links_out_of_the_project_are_followed_where_they_may_be(folder: Path, target: str) -> None:
    Path("www/far").symlink_to(target)
    with pytest.raises(UserError, match="www/far is a link out of the project, to /"):
        find()
    found = find(links_out=True)
    [far] = set(found.files) - {"www/index.html", "www/css/app.css"}
    Path("../outside/far.txt").write_text("elsewhere")
    assert find(links_out=True).files[far] != found.files[far]


@pytest.mark.parametrize("target", [".", "..", "css"])
def test_a_link_to_a_folder_that_it_is_in_is_refused(folder: Path, target: str) -> None:
    Path("www/css/again").symlink_to(os.path.relpath(f"www/{target}", "www/css"))
    with pytest.raises(UserError, match="www/css/again is a link to a folder that it is in"):
        find()


def test_what_cannot_be_read_is_refused_by_its_name(folder: Path) -> None:
    Path("www/lost").symlink_to("nowhere")
    with pytest.raises(UserError, match="www/lost is a link to nothing"):
        find()
    Path("www/lost").unlink()
    os.mkfifo("www/pipe")
    with pytest.raises(UserError, match="www/pipe is not a regular file"):
        find()
    with pytest.raises(UserError, match="nowhere: there is no such folder"):
        trees().find("nowhere")


IGNORED = [
    ".DS_Store",
    "a~",
    "#x#",
    ".x.swp",
    ".#style.css",
    ".idea/x",
    "__pycache__/a.pyc",
    ".git/x",
]


@pytest.mark.parametrize("name", IGNORED)
def test_what_editors_and_systems_leave_is_passed_over_and_told(folder: Path, name: str) -> None:
    Path("www", name).parent.mkdir(exist_ok=True)
    if name == ".#style.css":
        Path("www", name).symlink_to("user@host.1234")
    else:
        Path("www", name).touch()
    looked = trees()
    assert set(looked.find("www").files) == {"www/index.html", "www/css/app.css"}
    assert looked.ignored == [f"www/{name.split('/')[0]}"]


def test_a_project_has_a_list_of_its_own(folder: Path) -> None:
    looked = trees()
    looked.find("www")
    looked.keep()
    Path(".viperignore").write_text("# ours\n/www/css/\n*.bak\n!keep~\n")
    for name in ("keep~", "a.bak", "go~"):
        Path("www", name).touch()
    looked = trees()
    assert set(looked.find("www").files) == {"www/index.html", "www/keep~"}
    assert looked.ignored == ["www/a.bak", "www/css", "www/go~"]


def test_what_was_said_of_a_name_is_remembered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = trees()
    before = looked.find("www")
    looked.keep()
    monkeypatch.setattr("viper.source.ignored._matcher", None)
    assert find().digest == before.digest
