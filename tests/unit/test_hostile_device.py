# SPDX-License-Identifier: MIT
"""Whoever answers at a device's address: one or two lines, no file that is not ours, no secret."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from doubles.hostile_device import Answer, HostileDevice, challenge, http, sealed
from viper.base.errors import UserError
from viper.device import endpoints, http_page, network_token
from viper.image import app_image
from viper.performance import command
from viper.performance.request import Request
from viper.sync import over_http, theirs
from viper.sync.over_http import SyncRequest
from viper.sync.transfer import Choices
from viper.update import ota
from viper.update.ota import Update

MAC = "02a274c09e1b"
TOKEN = "the token of a device that this user knows"
BUILD = "5019536d4780a192"
ESCAPE = "\x1b]0;owned\x07\x1b[31m"
OTA = {
    "build": BUILD, "boot": "b007", "running": "factory", "on_probation": False,
    "slot": {"name": "ota_0", "size": 3 << 20}, "chunk": 16384,
}  # fmt: skip
ABOUT = {
    "build": BUILD, "mac": MAC, "fs": "fat", "free": 1 << 20, "serving": True, "ours": "0" * 64,
    "waiting": [], "switched_s": None,
}  # fmt: skip
FILE = {"path": "/www/index.html", "size": 1, "sha256": "0" * 64}


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with a token, in a clone, who is impatient."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for module in (endpoints, http_page):
        monkeypatch.setattr(module, "_ANSWER_S", 0.5)
    monkeypatch.setattr(endpoints, "_BUSY_S", 0.1)
    monkeypatch.setattr(http_page, "_LIMIT_S", 0.3)
    monkeypatch.setattr("viper.performance.target.PROBE_S", 0.5)
    path = network_token.folder() / MAC
    path.parent.mkdir(parents=True)
    path.write_text(TOKEN)
    (tmp_path / "clone").mkdir()
    image = {"format": 1, "board": "B", "chip": "esp32s3", "flash_size": 1 << 24, "psram_size": 0}
    (tmp_path / "clone/flash.json").write_text(json.dumps({**image, "parts": [], "files": {}}))


def update(host: str) -> None:
    image = app_image.build_app(b"x" * 20_000, project="x", version="new", flash_size=1 << 24)
    ota.update(Update(host, image, "new", f"./scons ota HOST={host}"), lambda done: None)


def sync(host: str) -> None:
    request = SyncRequest(
        host,
        Path("clone/flash.json"),
        Path("clone"),
        Path("clone/.viper/devices"),
        build=BUILD,
        choices=Choices(theirs.parse("")),
    )
    over_http.sync(request, lambda total: nullcontext(lambda done: None))


def measure(host: str) -> None:
    Path("clone/profiles.toml").write_text('[one]\npaths = ["/"]\n')
    profiles, history = Path("clone/profiles.toml"), Path("clone/history")
    command.run(
        Request(
            host,
            runs=1,
            burst_s=0.1,
            long_s=0.1,
            profiles_file=profiles,
            history=history,
            report=Path("clone/perf.html"),
        )
    )


def look(host: str) -> None:
    http_page.build(host)


def fetch(host: str) -> None:
    http_page.get(int(host.rpartition(":")[2]), "./scons board-log")


def refused(ask: Callable[[str], None], answer: Callable[[bytes], Answer], tmp_path: Path) -> str:
    """What the user is told; that it is all, and that nothing was written outside of the clone."""
    before = {path for path in tmp_path.rglob("*") if "clone" not in path.parts}
    device = HostileDevice(answer)
    with device.serving(), pytest.raises(UserError) as raised:
        began = time.monotonic()
        ask(device.host)
    assert time.monotonic() - began < 30
    assert {path for path in tmp_path.rglob("*") if "clone" not in path.parts} == before
    assert TOKEN.encode() not in device.heard
    what = raised.value.what
    assert what.isprintable(), what  # so it is one line
    assert len(what) < 500
    assert raised.value.next_step
    return what


def forever(piece: bytes, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    """An answer that does not end."""

    def send(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                time.sleep(pause_s)

    return send


def trickling_head(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Y: z\r\n")
            time.sleep(0.1)


NO_ANSWERS: dict[str, Answer] = {
    "nothing": lambda connection: None,
    "no HTTP": b"SSH-2.0-" + ESCAPE.encode() + b"\r\n\r\n",
    "zeros": b"\0" * 100_000,
    "a long line": b"HTTP/1.1 200 " + b"x" * 100_000,
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "continuing": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    "no length": b"HTTP/1.1 200 OK\r\n\r\nx",
    "a length below zero": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "less than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
    "no chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "without an end": forever(b"x" * 65536),
    "a byte at a time": forever(b"x", 0.1),
    "a field at a time": trickling_head,
}


@pytest.mark.parametrize("ask", [update, sync, measure, look, fetch])
@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_what_is_no_answer(kind: str, ask: Callable[[str], None], tmp_path: Path) -> None:
    refused(ask, lambda head: NO_ANSWERS[kind], tmp_path)


STRANGERS = {
    "no seal": lambda head: http(json.dumps(OTA).encode()),
    "no JSON": lambda head: http(b"\xff\xfe"),
    "an escape": lambda head: http(
        json.dumps({"detail": f"{ESCAPE}\nerror: all is lost"}).encode(), "409 Conflict"
    ),
    "a long word": lambda head: http(
        json.dumps({"detail": "x" * 1_000_000}).encode(), "409 Conflict"
    ),
    "deep": lambda head: http(b"[" * 4000, "409 Conflict"),
    "another status": lambda head: http(b"", "999 Odd"),
    "elsewhere": lambda head: http(b"", "302 Found", "Location: http://example.com/\r\n"),
    "busy": lambda head: http(b"", "503 Busy"),
    "a known device, always": lambda head: challenge(MAC),
    "a known device, in clear": lambda head: http(
        b"", "401 No", f'WWW-Authenticate: Bearer realm="{MAC}"\r\n'
    ),
    "a path": lambda head: challenge("../../../etc/passwd"),
    "an absolute path": lambda head: challenge("/etc/passwd"),
    "a path in clear": lambda head: http(
        b"", "401 No", 'WWW-Authenticate: Bearer realm="../../x"\r\n'
    ),
    "basic": lambda head: http(b"", "401 No", 'WWW-Authenticate: Basic realm="x"\r\n'),
    "no challenge": lambda head: http(b"", "401 No"),
    "a seal of its own": lambda head: (
        sealed(head, "another", json.dumps(OTA).encode()) if b"HMAC" in head else challenge(MAC)
    ),
}


@pytest.mark.parametrize("ask", [update, sync])
@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_gets_no_token(kind: str, ask: Callable[[str], None], tmp_path: Path) -> None:
    refused(ask, STRANGERS[kind], tmp_path)


NONSENSE: list[object] = [None, [], "", ESCAPE, "../../../x", "/etc/x", -1, 1.5, True, {}, 10**30]


def taken_over(body: bytes) -> Callable[[bytes], Answer]:
    """A device whose own seal is on what it says."""
    return lambda head: sealed(head, TOKEN, body) if b"HMAC" in head else challenge(MAC)


@pytest.mark.parametrize("key", [*OTA, ""])
def test_what_a_device_that_was_taken_over_says_of_itself(key: str, tmp_path: Path) -> None:
    truths = [each for each in NONSENSE if each is not True]
    kinds = {"slot": NONSENSE[1:9], "on_probation": truths}
    for value in kinds.get(key, NONSENSE):
        if key == "running" and isinstance(value, str):
            continue  # it is shown, printable
        said = {**OTA, key: value} if key else value
        what = refused(update, taken_over(json.dumps(said).encode()), tmp_path)
        assert "cannot be understood" in what, (value, what)


@pytest.mark.parametrize(
    "lines", [[FILE, FILE], [], [{**FILE, "path": 1}], [{**FILE, "sha256": "x"}]]
)
@pytest.mark.parametrize("key", [*ABOUT, ""])
def test_manifests_of_a_device_that_was_taken_over(
    lines: list[object], key: str, tmp_path: Path
) -> None:
    for value in NONSENSE:
        if (key, value) in (("serving", True), ("free", True)) and value is True:
            continue
        about = {**ABOUT, key: value} if key else value
        manifest = "\n".join(map(json.dumps, [about, *lines, {"files": 1}])).encode()
        status = json.dumps({"boot": "b007", "outdated": False}).encode()

        def answer(head: bytes, manifest: bytes = manifest, status: bytes = status) -> Answer:
            return taken_over(manifest if head.startswith(b"POST") else status)(head)

        refused(sync, answer, tmp_path)


@pytest.mark.parametrize(
    "told",
    [{"mac": each} for each in NONSENSE]
    + [{"mac": MAC, "free": each} for each in NONSENSE if each != {}]
    + [[], "x", None],
)
def test_what_perf_is_told(
    told: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = f'viperhttp_build_info{{build_id="{ESCAPE}"}} 1\nviperhttp_x {ESCAPE}\n'.encode()

    def answer(head: bytes) -> Answer:
        if b"/perf/device" in head:
            return http(json.dumps(told).encode())
        return http(metrics if b"/metrics" in head else b"{}" if b"/perf" in head else b"x")

    refused(measure, answer, tmp_path)
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err


def test_a_page_that_unpacks_to_more_than_a_device_holds(tmp_path: Path) -> None:
    body = gzip.compress(b"\0" * (64 << 20))
    device = HostileDevice(lambda head: http(body, fields="Content-Encoding: gzip\r\n"))
    with device.serving():
        shown = http_page.get(int(device.host.rpartition(":")[2]), "")
    assert len(shown) < 20 << 20
