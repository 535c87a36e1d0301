# SPDX-License-Identifier: MIT
"""A project of one's own beside a checkout, from `new=` to a page, a test and another commit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from project import Project, Run, copy_checkout, copy_project
from viper.virtual_board import control
from viperhttp.testing import NotStarted, TestClient

MODULE = """\
#include "py/runtime.h"

static mp_obj_t answer(void) { return MP_OBJ_NEW_SMALL_INT(42); }
static MP_DEFINE_CONST_FUN_OBJ_0(answer_obj, answer);
static const mp_rom_map_elem_t table[] = {
    {MP_ROM_QSTR(MP_QSTR_answer), MP_ROM_PTR(&answer_obj)},
};
static MP_DEFINE_CONST_DICT(globals, table);
const mp_obj_module_t soil_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR_soil, soil_module);
"""
MAKEFILE = """\
SRC_USERMOD_C += $(USERMOD_DIR)/soil.c
"""
MAIN = """\
import soil
import viperhttp

app = viperhttp.ViperHTTP()


@app.get("/soil")
def measured():
    return {"answer": soil.answer()}


app.start(port=80)
"""


class Own(Project):
    """A project of one's own, driven by its own launcher."""

    limit_s = 1000.0  # a module's names change every object, and others compile beside it

    def command(self, *arguments: str) -> list[str]:
        return ["./scons", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "SCONSFLAGS"}
        return {**kept, **more}

    def page(self, board: str, path: str) -> httpx.Response:
        running = control.running(self.path(f".viper/boards/{board}"))
        assert running is not None
        return httpx.get(f"http://127.0.0.1:{running.http_port}{path}", timeout=60)

    def stop(self) -> None:
        for folder in self.path(".viper/boards").glob("*"):
            control.stop(folder)


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def checkout(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone as people have it, with its packages and what it has built."""
    project = copy_project(built, tmp_path_factory.mktemp("beside") / "viper http")
    git(project.folder, "init", "--quiet")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "--quiet", "-m", "one")
    project.path(".venv").symlink_to(sys.prefix)
    return project


def begun(checkout: Project, name: str) -> Own:
    """A new project that need not fetch MicroPython again."""
    checkout.scons(f"new=../{name}")
    own = Own(checkout.folder.parent / name)
    own.path("build").mkdir()
    copy_checkout(checkout.folder, own.path("build/micropython"))
    shutil.copy2(checkout.path("build/micropython.json"), own.path("build"))
    return own


@pytest.fixture(scope="module")
def greenhouse(checkout: Project) -> Iterator[Own]:
    own = begun(checkout, "greenhouse")
    try:
        yield own
    finally:
        own.stop()


def test_its_first_page_is_the_pinned_commits_firmware(checkout: Project, greenhouse: Own) -> None:
    flashed = greenhouse.scons("flash", "PORT=virtual:first")
    assert "FETCH    viperhttp" in flashed.output
    page = greenhouse.page("first", "/")
    assert page.status_code == 200 and "<h1>greenhouse</h1>" in page.text
    assert "seconds" in greenhouse.page("first", "/api/uptime").json()
    assert "viperhttp" in greenhouse.page("first", "/about").text.lower()

    ids = [
        json.loads(each.path("build/VIRTUAL_N16R8/build.json").read_text())["build"]
        for each in (checkout, greenhouse)
    ]
    assert ids[0] == ids[1], "the same sources make the same firmware, whoever builds it"
    assert git(checkout.folder, "status", "--porcelain") == ""
    assert not checkout.path(".viper").exists()


def test_it_lives_in_the_incremental_loop(greenhouse: Own) -> None:
    greenhouse.scons("flash", "PORT=virtual:first")
    again = greenhouse.scons("flash", "PORT=virtual:first")
    assert again.output.splitlines()[-1].startswith("0 steps run")
    greenhouse.edit("www/index.html", "Up for", "Awake for")
    synced = greenhouse.scons("sync", "PORT=virtual:first")
    assert re.findall("SEND +(.*)", synced.output) == ["/www/index.html"]
    assert "Awake for" in greenhouse.page("first", "/").text
    assert "not checked" not in greenhouse.scons("smoke", "PORT=virtual:first").output
    assert "as made from nothing" in greenhouse.scons("check").output


def test_goals_about_viperhttp_itself_are_not_its_own(checkout: Project, greenhouse: Own) -> None:
    listed = [
        set(re.findall("^  ([a-z-]+) ", project.scons("-h").output, re.MULTILINE))
        for project in (checkout, greenhouse)
    ]
    assert listed[0] - listed[1] == {
        "bench", "docs", "fuzz", "lint", "mutants", "new", "test-device", "test-long",
    }  # fmt: skip
    assert listed[1] - listed[0] == set()


def test_its_own_tests_ask_its_handlers(greenhouse: Own) -> None:
    assert "2 passed" in greenhouse.scons("test").output
    main = greenhouse.path("app/main.py")
    text = main.read_text()
    main.write_text(text.replace("ticks_ms() // 1000", "ticks_ms() // nothing"))
    try:
        failed = greenhouse.scons("test", status=2)
        assert "1 failed, 1 passed" in failed.output
    finally:
        main.write_text(text)


def test_an_application_that_does_not_start_says_why(greenhouse: Own) -> None:
    main = greenhouse.path("app/main.py")
    text = main.read_text()
    main.write_text("import nowhere\n")
    try:
        greenhouse.scons("image")
        with (
            pytest.raises(NotStarted, match="no module named 'nowhere'"),
            TestClient(project=greenhouse.folder),
        ):
            pass
    finally:
        main.write_text(text)


@pytest.mark.timeout(1500)
def test_two_of_one_checkout_are_built_at_the_same_time(checkout: Project, greenhouse: Own) -> None:
    cellar = begun(checkout, "cellar & <attic>")
    try:
        cellar.path("modules/soil").mkdir(parents=True)
        cellar.path("modules/soil/soil.c").write_text(MODULE)
        cellar.path("modules/soil/micropython.mk").write_text(MAKEFILE)
        cellar.path("app/main.py").write_text(MAIN)
        greenhouse.path("www/index.html").write_text("<p>sun")

        def flash(own: Own) -> Run:
            return own.scons("flash", "PORT=virtual:both")

        with ThreadPoolExecutor() as pool:
            list(pool.map(flash, (greenhouse, cellar)))
        assert greenhouse.page("both", "/").text == "<p>sun"
        assert cellar.page("both", "/soil").json() == {"answer": 42}
        title = cellar.path("www/index.html").read_text()
        assert "<h1>cellar &amp; &lt;attic&gt;</h1>" in title
        assert "up to date" in cellar.scons("why").output

        cellar.edit("modules/soil/soil.c", "(42)", "(43)")
        built = cellar.scons("flash", "PORT=virtual:both")
        assert "MAKE micropython" in built.steps
        assert cellar.page("both", "/soil").json() == {"answer": 43}

        cellar.edit("modules/soil/soil.c", "(43)", "(nothing)")
        refused = cellar.scons("flash", "PORT=virtual:both", status=2)
        assert re.search(r"error: modules/soil/soil\.c:\d+:\d+: ", refused.output)
    finally:
        cellar.stop()


def test_a_name_of_viperhttps_own_is_refused(greenhouse: Own) -> None:
    folder = greenhouse.path("boards/VIRTUAL_N16R8")
    folder.mkdir(parents=True)
    try:
        refused = greenhouse.scons("image", status=2)
        assert "boards/VIRTUAL_N16R8: ViperHTTP has a boards/VIRTUAL_N16R8" in refused.output
    finally:
        shutil.rmtree(folder.parent)


def test_its_pin_moves_and_the_checkout_goes_its_own_way(
    checkout: Project, greenhouse: Own
) -> None:
    before = git(checkout.folder, "rev-parse", "HEAD").strip()
    checkout.edit("SConstruct", "every image (default)", "all images (default)")
    changed = greenhouse.scons("-h").output
    assert "every image" in changed, "what is not committed there is nothing to a project"
    git(checkout.folder, "commit", "--quiet", "-a", "-m", "two")
    assert "every image" in greenhouse.scons("-h").output
    moved = greenhouse.scons("pin", "viperhttp=HEAD").output
    after = git(checkout.folder, "rev-parse", "HEAD").strip()
    assert f"PIN      viperhttp: {before[:12]} → {after[:12]}" in moved
    assert "all images" in greenhouse.scons("-h").output

    unknown = greenhouse.scons("pin", "viperhttp=v99", status=2).output
    assert "has no commit v99" in unknown
    other = greenhouse.scons("pin", "micropython=v1.28.0", status=2).output
    assert "no option 'micropython'" in other
    greenhouse.edit("SConstruct", after, "0" * 40)
    missing = greenhouse.scons("image", status=2).output
    assert f"has no commit {'0' * 40}" in missing
    greenhouse.edit("SConstruct", "0" * 40, after)
    greenhouse.edit("SConstruct", '"../viper http"', '"../nowhere"')
    shutil.rmtree(greenhouse.path("build/viperhttp"))
    nowhere = greenhouse.scons("image", status=2).output
    assert 'VIPERHTTP = "../nowhere" cannot be cloned: ' in nowhere
    greenhouse.edit("SConstruct", '"../nowhere"', '"../viper http"')


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('"templates": "templates"', "SConstruct: the project has no 'templates'"),
        ('"www": "www"', "SConstruct: the project has no 'www'"),
    ],
)
def test_a_project_without_a_folder_says_which(greenhouse: Own, given: str, told: str) -> None:
    text = greenhouse.path("SConstruct").read_text()
    greenhouse.path("SConstruct").write_text(text.replace(given, "").replace("    ,", ""))
    try:
        assert told in greenhouse.scons("image", status=2).output
    finally:
        greenhouse.path("SConstruct").write_text(text)


def test_new_refuses_what_is_there_and_what_is_the_checkouts(
    checkout: Project, greenhouse: Own
) -> None:
    there = checkout.scons("new=../greenhouse", status=2).output
    assert "something is there already" in there
    inside = checkout.scons("new=mine", status=2).output
    assert "in ViperHTTP's own checkout" in inside and not checkout.path("mine").exists()
    nowhere = checkout.scons("new=../no/where", status=2).output
    assert "there is no folder" in nowhere
    assert "new needs a folder" in checkout.scons("new", status=2).output
