# SPDX-License-Identifier: MIT
"""An application that has nothing of the demo but a server; and which boards there are, where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from project import Project
from viper.device.repl import DeviceRepl
from viper.virtual_board import control

PORT = "PORT=virtual:own"
APPLICATION = """\
import viperhttp

app = viperhttp.ViperHTTP()


@app.get("/hello")
def hello():
    return {"hello": "world"}


"""


@pytest.fixture
def own(project: Project) -> Iterator[Project]:
    try:
        yield project
    finally:
        for name in ("own", "other"):
            control.stop(project.path(f".viper/boards/{name}"))


def hello(project: Project) -> object:
    board = control.running(project.path(".viper/boards/own"))
    assert board is not None
    return httpx.get(f"http://127.0.0.1:{board.http_port}/hello", timeout=60).json()


@pytest.mark.parametrize("start", ["app.start()", "app.run()"])
def test_smoke_says_what_it_cannot_check_and_leaves_the_application_running(
    own: Project, start: str
) -> None:
    own.path("firmware/app/main.py").write_text(APPLICATION + start)
    own.scons("flash", PORT)
    lines = own.scons("smoke", PORT).output.splitlines()
    said = [line for line in lines if line.startswith("SMOKE    not checked: ")]
    assert "whether it serves files: / is not served" in said[0] and "app.mount()" in said[0]
    assert "whether Python answers: /perf/light/json is not served" in said[1]
    why = "app.mount_health()" if "start" in start else "had to be interrupted"
    assert "whether both cores answer: " in said[2] and why in said[2]
    assert hello(own) == {"hello": "world"}


def test_which_paths_are_asked_for_is_the_projects(own: Project) -> None:
    application = APPLICATION + 'app.mount_health("/alive")\napp.start()\n'
    own.path("firmware/app/main.py").write_text(application)
    own.path("firmware/app/app.toml").write_text('python = "/hello"\nhealth = "/alive"\n')
    profiles = '[mine]\npaths = ["/hello"]\nclients = 1\n[demo]\npaths = ["/perf/light/json"]\n'
    own.path("tools/perf_profiles.toml").write_text(profiles)
    short = ("RUNS=1", "BURST_S=0.2", "LONG_S=0.2")
    ran = own.scons("pipeline", PORT, "SKIP=test", *short).output
    assert ran.count("not checked: ") == 1 and "firmware/app/app.toml has no 'page'" in ran
    assert "smoke done, test left out, perf done" in ran
    assert "not measured: demo: /perf/light/json is not served" in ran
    for untold in ("its build and its counters", "its MAC and its memory"):
        assert f"not told: {untold}: firmware/app/app.toml names no path" in ran

    # Of an application that serves nothing of all this, what is not known is said, and no more.
    own.path("firmware/app/app.toml").write_text("")
    own.path("tools/perf_profiles.toml").write_text('[demo]\npaths = ["/perf/light/json"]\n')
    ran = own.scons("pipeline", PORT, "SKIP=test", *short).output
    assert ran.count("not checked: ") == 3 and ran.count("not measured: ") == 1
    assert "smoke done, test left out, perf done" in ran

    own.path("firmware/app/app.toml").write_text('pythn = "/hello"\n')
    assert (
        "unknown key 'pythn'; did you mean 'python'?" in own.scons("smoke", PORT, status=2).output
    )


def test_a_page_stays_where_it_was_put(own: Project) -> None:
    own.scons("flash", PORT, "HTTP_PORT=8125")
    for goal in ("smoke", "sync", "flash"):
        own.scons(goal, PORT)
        board = control.running(own.path(".viper/boards/own"))
        assert board is not None and board.http_port == 8125


def test_a_saved_address_is_that_of_one_board(own: Project) -> None:
    own.scons(PORT, "HTTP_PORT=8124", "save")
    assert "http://127.0.0.1:8124/" in own.scons("flash").output
    own.scons("flash", "PORT=virtual:own,virtual:other")
    boards = [control.running(own.path(f".viper/boards/{name}")) for name in ("own", "other")]
    assert [board and board.http_port == 8124 for board in boards] == [True, False]
    own.scons("flash", PORT, "HTTP_PORT=8126")
    own.scons("smoke")
    board = control.running(own.path(".viper/boards/own"))
    assert board is not None and board.http_port == 8126


@pytest.mark.parametrize("goal", ["sync", "plan", "token", "backup", "repl", "monitor"])
def test_a_misspelt_board_is_not_made(own: Project, goal: str) -> None:
    refused = own.scons(goal, "PORT=virtual:typo", status=2).output
    assert "there is no virtual board 'typo'" in refused
    assert "./scons flash PORT=virtual:typo makes it" in refused
    assert not own.path(".viper/boards/typo").exists()


@pytest.mark.parametrize("port", ["virtual,virtual:default", "COM14,com14", "labgrid:a,labgrid:a"])
def test_two_names_of_one_device_are_no_fleet(own: Project, port: str) -> None:
    assert (
        f"names '{port.split(',')[1]}' twice" in own.scons("flash", f"PORT={port}", status=2).output
    )


def test_the_word_that_gives_the_token_away_is_not_kept(own: Project) -> None:
    assert "TOKEN is never kept" in own.scons("TOKEN=plain", "save", status=2).output
    own.path("local.py").write_text("TOKEN = 'plain'\n")
    assert "plain: ota sends" in own.scons("-h").output
    assert "TOKEN=plain" not in own.scons("-h").output


def test_what_is_no_python_is_not_sent(own: Project) -> None:
    own.scons("flash", PORT)
    main = own.path("firmware/app/main.py")
    right = main.read_text()
    main.write_text(right + "\n\ndef broken(:\n    pass\n")
    line = len(main.read_text().splitlines()) - 1
    refused = own.scons("sync", PORT, status=2).output
    assert f"firmware/app/main.py line {line}: SyntaxError: invalid syntax: def broken(:" in refused
    # What cannot work is refused where it stands, by the image too.
    main.write_text(right + '\n\n@app.get("/{name}")\ndef hello(request):\n    pass\n')
    line = len(main.read_text().splitlines()) - 1
    for goal in (["image"], ["sync", PORT]):
        refused = own.scons(*goal, status=2).output
        says = f"firmware/app/main.py line {line}: hello: the handler has no parameter 'name'"
        assert says in refused
    # What only the device knows, it knows at once.
    main.write_text(right.replace("app = ", "app = nothing\napp = "))
    refused = own.scons("sync", PORT, status=2).output
    assert "the application ends as it starts: main.py line" in refused
    assert refused.count("NameError: name 'nothing' isn't defined") == 2
    assert '  |   File "main.py", line' in refused and "Connection refused" not in refused
    main.write_text(right)
    own.scons("sync", PORT)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("import sys\nsys.exit()\n", "restarts the device again and again"),
        ("import machine\nmachine.reset()\n", "restarts the device again and again"),
        ("print('done')\n", "ends as it starts, and serves nothing"),
    ],
)
def test_an_application_that_serves_nothing_is_not_waited_for(
    own: Project, end: str, told: str
) -> None:
    own.scons("flash", PORT)
    own.path("firmware/app/main.py").write_text(end)
    refused = own.scons("sync", PORT, status=2).output
    assert f"the application {told}" in refused and "does not answer" not in refused


DEAF = """\
import time

while True:
    try:
        while True:
            try:
                time.sleep_ms(1)
            except:
                pass
    except:
        pass
"""


@pytest.fixture
def deaf(own: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a file of the user's on a board, and a program that cannot be interrupted."""
    monkeypatch.setenv("XDG_DATA_HOME", str(own.path("data of the user")))

    def write(name: str) -> None:
        own.scons("flash", PORT)
        with open_repl(own) as repl:
            for path, content in (("/mine.txt", "mine"), (f"/{name}", DEAF)):
                repl.run(f"with open({path!r}, 'w') as f: f.write({content!r})".encode(), "write")
            repl.restart()

    return write


@contextmanager
def open_repl(project: Project) -> Iterator[DeviceRepl]:
    board = control.running(project.path(".viper/boards/own"))
    assert board is not None
    with DeviceRepl(board.port_url.replace("rfc2217", "viper"), again="") as repl:
        repl.enter()
        yield repl


def mine(project: Project) -> str:
    with open_repl(project) as repl:
        told = repl.run(b"print(open('/mine.txt').read())", "tell")
        repl.restart()
    return told.strip()


@pytest.mark.parametrize(("goal", "name"), [("sync", "boot.py"), ("flash", "main.py")])
def test_a_program_that_cannot_be_interrupted_is_stopped_before_it_begins(
    own: Project, deaf: Callable[[str], None], goal: str, name: str
) -> None:
    deaf(name)
    came = own.scons(goal, PORT, f"THEIRS=overwrite:/{name}").output
    assert "STOP     the program, which lets nobody in" in came
    assert f"SEND     /{name}" in came and "BACKUP" not in came and "FLASH  " not in came
    assert mine(own) == "mine"
    assert "nothing to write" in own.scons("flash", PORT).output  # the mark is gone


def test_a_program_that_cannot_be_interrupted_moves_with_its_partition(
    own: Project, deaf: Callable[[str], None]
) -> None:
    deaf("boot.py")
    own.edit("boards/partitions-16MiBplus.csv", "0x610000, -16M", "0x700000, -16M")
    keep = ("REPARTITION=keep", "THEIRS=overwrite:/boot.py")
    assert "files of the device, verified" in own.scons("flash", PORT, *keep).output
    assert mine(own) == "mine"


def test_without_a_place_for_the_mark_the_program_is_replaced_and_no_file_lost(
    own: Project, deaf: Callable[[str], None]
) -> None:
    own.edit("boards/partitions-16MiBplus.csv", "data, phy,", "data, 0x40,")
    deaf("main.py")
    assert "REPL does not answer\n  ./scons flash" in own.scons("sync", PORT, status=2).output
    flashed = own.scons("flash", PORT, "THEIRS=overwrite").output
    assert "for the program cannot be interrupted" in flashed and "FLASH    vfs  " in flashed
    assert mine(own) == "mine"
    assert "nothing to send" in own.scons("sync", PORT).output
    (kept,) = own.path("data of the user").rglob("vfs/main.py")
    assert kept.read_text() == DEAF
