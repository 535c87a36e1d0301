# SPDX-License-Identifier: MIT
"""The process that keeps a device's port between two pieces of work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_board import Board
from site_image import Site, on_device, sha256, wait_for_boots
from slowness import slowness
from viper.base import process
from viper.base.errors import UserError
from viper.flash import jobs
from viper.flash.jobs import SYNC, WORKER
from viper.ports import port
from viper.virtual_board import control


@pytest.fixture
def site(tmp_path: Path, parts: dict[int, bytes], built: Path) -> Site:
    site = Site(tmp_path, parts, built)
    site.texts["/main.py"] = "print('application runs')\n"  # and the REPL is free
    return site


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that stays, and that `jobs` asks."""
    address = str(tmp_path / "worker")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        started = subprocess.Popen(
            [sys.executable, "-m", "viper.update.worker", "--stay", str(os.getpid())],
            stdin=listener,
            stdout=subprocess.DEVNULL,
            env=process.module_environment(),
        )
    monkeypatch.setenv(WORKER, address)
    yield started
    started.send_signal(signal.SIGINT)
    try:
        started.wait(60)
    finally:
        started.kill()


def save(site: Site, board: Board, text: str) -> None:
    """Bring an edited page to a board, and see that nothing else was sent."""
    site.texts["/www/index.html"] = text
    assert site.sync(board).files_sent == ("/www/index.html",)


def sockets(pid: int) -> set[str]:
    """What a process has open of the network."""
    links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    return {link for link in links if link.startswith("socket:")}


def test_the_line_stays_open_outlives_a_reset_and_is_opened_anew_for_a_board_that_was_off(
    lived_in: Board, site: Site, worker: subprocess.Popen[bytes]
) -> None:
    without = sockets(worker.pid)
    save(site, lived_in, "two")
    line = sockets(worker.pid)
    assert len(line) == len(without) + 1
    control.reset(lived_in.folder)
    wait_for_boots(lived_in, 2)
    save(site, lived_in, "three")
    assert sockets(worker.pid) == line

    control.stop(lived_in.folder)
    control.start(lived_in.folder, "board")
    wait_for_boots(lived_in, 3)
    save(site, lived_in, "four")
    assert sockets(worker.pid) != line
    with port.lock(lived_in.url, called="PORT", pid=os.getpid()):
        assert on_device(lived_in)["/www/index.html"] == sha256("four")


def test_it_lets_go_of_the_port_for_others_between_two_pieces_of_work(
    lived_in: Board, site: Site, worker: subprocess.Popen[bytes]
) -> None:
    save(site, lived_in, "two")
    with port.lock(lived_in.url, called="PORT", pid=os.getpid()):
        site.texts["/www/index.html"] = "three"
        with pytest.raises(UserError, match=f"in use by process {os.getpid()} "):
            site.sync(lived_in)
    save(site, lived_in, "three")


INTERRUPTED = """
import sys
from viper.flash import jobs
from viper.base import interrupt
interrupt.install()
try:
    jobs.flash(jobs.decode_request(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_at_work_it_keeps_the_port_and_an_interrupt_leaves_the_application_running(
    lived_in: Board, site: Site, worker: subprocess.Popen[bytes]
) -> None:
    site.texts["/www/large.txt"] = os.urandom(400_000).hex()
    request = jobs._encode(site.request(lived_in, goal=SYNC))
    before = control.counters(lived_in.folder).bytes_programmed
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, request],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "site_scons"},
    ) as client:
        while control.counters(lived_in.folder).bytes_programmed < before + 20_000:
            assert client.poll() is None
            time.sleep(0.002)
        named = f"in use by process {os.getpid()} "
        with (
            pytest.raises(UserError, match=named),
            port.lock(lived_in.url, called="PORT", pid=os.getpid()),
        ):
            pass
        assert client.poll() is None
        client.send_signal(signal.SIGINT)
        output, _ = client.communicate(timeout=60)
    assert output.endswith(b"interrupted\n")
    assert worker.wait(60) == 130
    wait_for_boots(lived_in, 2, within_s=2 * slowness())


def test_one_that_dies_at_work_is_told(
    lived_in: Board, site: Site, worker: subprocess.Popen[bytes]
) -> None:
    site.texts["/www/large.txt"] = os.urandom(400_000).hex()
    request = site.request(lived_in, goal=SYNC)
    before = control.counters(lived_in.folder).bytes_programmed

    def kill() -> None:
        while control.counters(lived_in.folder).bytes_programmed < before + 20_000:
            time.sleep(0.002)
        worker.kill()

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(UserError, match="ended before its work was done") as caught:
        jobs.flash(request)
    killing.join()
    assert caught.value.next_step.startswith("./scons sync PORT=virtual:bench again")
