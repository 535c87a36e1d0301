# SPDX-License-Identifier: MIT
"""Files of a running virtual board brought up to date over the network."""

from __future__ import annotations

import ast
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
from dropping_proxy import DroppingProxy
from project import Project, copy_project
from running_board import Board
from site_image import on_device, sha256
from viper.base.errors import UserError
from viper.device import http_page, network_token
from viper.device.repl import DeviceRepl
from viper.flash import jobs
from viper.flash.jobs import SYNC, FlashRequest, FlashResult
from viper.sync import over_http, theirs
from viper.sync.over_http import HttpTransport, SyncRequest
from viper.sync.transfer import Choices
from viper.virtual_board import control

SOURCES = {"page": "assets/www/index.html", "main": "firmware/app/main.py"}
NewBoard = Callable[..., Board]


class Device:
    """A board that runs the demo and has a token, and the project that its files come from."""

    def __init__(self, project: Project, board: Board, stamps: Path) -> None:
        self.project = project
        self.board = board
        self.stamps = stamps

    def sync(self, port: int | None = None, build: str | None = None) -> FlashResult:
        outputs = self.project.path("build/VIRTUAL_N16R8")
        request = SyncRequest(
            host=f"127.0.0.1:{port or self.board.info.http_port}",
            image=outputs / "flash.json",
            root=self.project.folder,
            stamps=self.stamps,
            build=build or json.loads((outputs / "build.json").read_text())["build"],
            choices=Choices(theirs.parse("")),
        )
        return over_http.sync(request, lambda total: nullcontext(lambda done: None))

    def build(self, **contents: str) -> None:
        """Make the image anew, with other contents of sources."""
        for name, content in contents.items():
            self.project.path(SOURCES[name]).write_text(content)
        self.project.scons("image")

    def get(self, path: str) -> str:
        address = f"http://127.0.0.1:{self.board.info.http_port}{path}"
        return httpx.get(address, timeout=60).raise_for_status().text

    @property
    def starts(self) -> int:
        return self.board.log.count(b"ViperHTTP")


@pytest.fixture(scope="module")
def made(
    built: Path, new_shared_board: NewBoard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Device]:
    project = copy_project(built, tmp_path_factory.mktemp("sync") / "project")
    flash = project.path("build/VIRTUAL_N16R8/flash.bin").read_bytes()
    board = new_shared_board("sync", flash)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        http_page.wait_until_served(board.info.http_port, "")
        network_token.give(board.url, "")
        http_page.wait_until_served(board.info.http_port, "")
        yield Device(project, board, tmp_path_factory.mktemp("stamps"))


@pytest.fixture
def device(made: Device) -> Device:
    """The board with the project's files as they are."""
    made.sync()
    return made


def test_one_asset_that_was_edited_is_sent_and_served_and_nothing_else(device: Device) -> None:
    before = on_device(device.board)
    starts = device.starts
    page = "<title>edited</title>" * 100
    device.build(page=page)
    with DroppingProxy(device.board.info.http_port) as network:
        result = device.sync(network.port)
        assert network.sent < 4096 + 512 * len(before) // 10
    assert set(result.files_sent) == {"/www/index.html", "/www/index.html.gz"}
    assert device.get("/") == page
    assert device.starts == starts
    assert not device.sync().changed

    after = on_device(device.board)
    assert after["/www/index.html"] == sha256(page)
    assert {path for path in after if before.get(path) != after[path]} == set(result.files_sent)
    assert "/device.token" in after


def test_an_edited_application_runs_before_sync_is_done_and_a_users_file_stays(
    device: Device,
) -> None:
    with DeviceRepl(device.board.url, again="") as repl:
        repl.enter()
        repl.execute(b"with open('/mine.txt', 'w') as f:\n f.write('mine')")
        repl.leave()
    starts = device.starts
    main = device.project.path(SOURCES["main"]).read_text()
    device.build(
        main=main.replace("app.mount_health", "app.get('/new')(lambda: 'new')\napp.mount_health")
    )
    assert device.sync().files_sent == ("/main.py",)
    assert device.starts == starts + 1
    assert device.get("/new") == "new"
    assert on_device(device.board)["/mine.txt"] == sha256("mine")


def test_goes_on_after_the_network_was_cut(device: Device) -> None:
    noise = [random.Random(seed).randbytes(30_000).hex() for seed in (1, 2)]
    main = device.project.path(SOURCES["main"]).read_text()
    device.build(page=noise[0], main=f"{main}\n# {noise[1]}")
    before = on_device(device.board)
    with (
        DroppingProxy(device.board.info.http_port, sent_limit=60_000) as network,
        pytest.raises(UserError, match="does not answer") as raised,
    ):
        device.sync(network.port)
    assert "./scons sync HOST=" in raised.value.next_step
    now = on_device(device.board)
    assert {path: now[path] for path in before} == before

    with DroppingProxy(device.board.info.http_port) as network:
        result = device.sync(network.port)
        assert network.sent < 90_000
    assert set(result.files_sent) == {"/www/index.html", "/www/index.html.gz", "/main.py"}
    assert not device.sync().changed
    with DeviceRepl(device.board.url, again="") as repl:
        repl.enter()
        output, _ = repl.execute(b"import os; print(os.listdir('/.sync'))")
        repl.leave()
    assert all(name.startswith("ours") for name in ast.literal_eval(output.decode()))


def test_an_application_that_was_sent_and_never_started_is_started(device: Device) -> None:
    """The network is cut after the files were put in their places."""
    main = device.project.path(SOURCES["main"]).read_text()
    device.build(main=f"{main}\n# edited")
    starts = device.starts
    with pytest.MonkeyPatch.context() as patch, pytest.raises(UserError, match="cut"):
        patch.setattr(HttpTransport, "switch", _switched_and_cut)
        device.sync()
    assert device.starts == starts
    assert not device.sync().changed
    assert device.starts == starts + 1


def _switched_and_cut(
    transport: HttpTransport, name: str, switch: Callable[..., object] = HttpTransport.switch
) -> None:
    switch(transport, name)
    raise UserError("cut", "")


def page_of(release: int, count: int = 8, size: int = 18_000) -> dict[str, bytes]:
    """A page and the assets that it names, as a bundler names them: by their content."""
    noise = random.Random(release)
    assets = {f"app.{noise.randbytes(4).hex()}.jpg": noise.randbytes(size) for _ in range(count)}
    page = "".join(f"<img src={name}>" for name in assets)
    return {"index.html": page.encode(), **assets}


def load_across_a_switch(device: Device, sync: Callable[[], object], *size: int) -> None:
    """Load a page with all that it names, again and again, while another release comes."""
    site = device.project.path("assets/www")

    def release(number: int) -> None:
        for path in site.glob("app.*"):
            path.unlink()
        for name, content in page_of(number, *size).items():
            (site / name).write_bytes(content)
        device.project.scons("image")

    release(1)
    device.sync()
    release(2)
    started = threading.Event()
    ended = threading.Event()
    loads: list[str] = []

    def load_pages() -> None:
        while not ended.is_set():
            page = device.get("/")
            started.set()
            for name in re.findall("src=([^>]*)", page):
                device.get(f"/{name}")  # raises what is not 200
            loads.append(page)

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(load_pages)
        assert started.wait(timeout=60)  # the first page is of the first release, however fast
        try:
            sync()
            now = len(loads)
            while len(loads) < now + 2 and not reader.done():
                time.sleep(0.01)
        finally:
            ended.set()
        reader.result()
    pages = [page_of(number, *size)["index.html"].decode() for number in (1, 2)]
    assert {loads[0], loads[-1]} == set(pages)
    assert len(loads) > 2


def test_a_page_that_was_fetched_before_the_switch_finds_what_it_names(device: Device) -> None:
    load_across_a_switch(device, device.sync)


@pytest.mark.long
def test_a_slow_line_and_4_mib_make_no_page_fail(device: Device) -> None:
    outputs = device.project.path("build/VIRTUAL_N16R8")
    request = FlashRequest(
        port="virtual:bench",
        url=device.board.url,
        baud=460800,
        image=outputs / "flash.json",
        root=device.project.folder,
        stamps=device.stamps,
        backups=device.stamps,
        build=json.loads((outputs / "build.json").read_text())["build"],
        goal=SYNC,
    )

    def sync() -> None:
        control.set_faults(device.board.folder, hold_line=True)
        try:
            jobs.flash(request)
        finally:
            control.set_faults(device.board.folder)

    load_across_a_switch(device, sync, 32, 128 << 10)


def test_another_build_is_refused(device: Device) -> None:
    with pytest.raises(UserError, match="and 0123456789abcdef is built") as raised:
        device.sync(build="0123456789abcdef")
    assert "./scons flash" in raised.value.next_step
    assert "./scons ota" in raised.value.next_step


@pytest.mark.parametrize("token", ["", "another one"])
def test_without_the_right_token_nothing_is_told_or_changed(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if token:
        path = network_token.folder() / device.board.info.mac
        path.parent.mkdir(parents=True)
        path.write_text(token)
    with pytest.raises(UserError, match="token") as raised:
        device.sync()
    assert "./scons token" in raised.value.next_step
