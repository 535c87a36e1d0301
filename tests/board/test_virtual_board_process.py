# SPDX-License-Identifier: MIT
"""The board as a process: starting, stopping, ports, users, and what it leaves behind."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_board import Board, Console
from viper.base.errors import UserError
from viper.virtual_board import control, tcp_table

NewBoard = Callable[..., Board]
Connect = Callable[[Board], Console]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "site_scons")}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port on 127.0.0.1 that somebody holds."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ended(pid: int, within_s: float = 60.0) -> bool:
    """Wait for a process that is not ours to end."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready = select.select([descriptor], [], [], within_s)[0]
    os.close(descriptor)
    return bool(ready)


def port_of(board: Board) -> int:
    return int(board.info.port_url.rsplit(":", 1)[1])


def test_starting_twice_gives_the_same_board(board: Board) -> None:
    assert control.start(board.folder, "board").pid == board.info.pid


def test_two_starts_at_once_give_one_board(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from viper.virtual_board import control;"
        "print(control.start(Path(sys.argv[1]), 'board').pid)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "board")]
    starts = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) for _ in range(3)]
    pids = {start.communicate(timeout=60)[0] for start in starts}
    control.stop(tmp_path / "board")
    assert len(pids) == 1, pids


def test_another_start_leaves_the_log_of_the_running_board(board: Board) -> None:
    (board.folder / "board.log").write_text("what went wrong")
    command = [sys.executable, "-m", "viper.virtual_board", str(board.folder), "--name", "board"]
    subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=60, check=True)
    assert (board.folder / "board.log").read_text() == "what went wrong"


def test_stop_ends_the_process_and_the_state_stays(new_board: NewBoard) -> None:
    board = new_board(http_port=free_port())
    (board.folder / "flash.bin").read_bytes()
    assert control.stop(board.folder)
    assert ended(board.info.pid, 0)
    assert control.running(board.folder) is None
    assert not control.stop(board.folder)
    again = control.start(board.folder, "board")
    assert (again.mac, again.port_url, again.http_port) == (
        board.info.mac,
        board.info.port_url,
        board.info.http_port,
    )


def test_sigterm_stops_it(board: Board) -> None:
    os.kill(board.info.pid, 15)
    assert ended(board.info.pid)


def test_a_removed_folder_ends_its_board(board: Board) -> None:
    shutil.rmtree(board.folder)
    assert ended(board.info.pid)


def test_the_command_that_starts_it_can_be_captured(tmp_path: Path) -> None:
    """`out=$(...)` returns: the board keeps nothing of its caller's output open."""
    command = [sys.executable, "-m", "viper.virtual_board", str(tmp_path), "--name", "board"]
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    result = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, timeout=60, close_fds=False, check=False
    )
    os.close(write_end)
    info = control.running(tmp_path)
    assert info is not None
    assert json.loads(result.stdout) == {"error": None, "next_step": ""}
    assert select.select([read_end], [], [], 5)[0], "it has inherited a descriptor"
    assert os.read(read_end, 1) == b""
    os.close(read_end)
    assert os.getsid(info.pid) == info.pid
    control.stop(tmp_path)


def test_two_boards_side_by_side(new_board: NewBoard, bootable_flash: bytes) -> None:
    one = new_board("one", flash=bootable_flash)
    two = new_board("two")
    assert one.info.mac != two.info.mac
    assert int(one.info.mac[:2], 16) & 3 == 2  # locally administered, unicast
    assert one.info.port_url != two.info.port_url
    control.stop(two.folder)
    assert one.now().mode == "application"


def test_a_taken_http_port_names_its_holder(tmp_path: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(UserError) as refusal:
        control.start(tmp_path / "board", "board", port)
    assert refusal.value.what.startswith(
        f"virtual board 'board': HTTP port {port} is taken by process {os.getpid()} ("
    )
    assert "HTTP_PORT=" in refusal.value.next_step
    assert control.running(tmp_path / "board") is None


def test_a_port_of_its_own_choice_that_was_taken_meanwhile_is_replaced(board: Board) -> None:
    control.stop(board.folder)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", board.info.http_port))
        other.listen()
        assert control.start(board.folder, "board").http_port != board.info.http_port


def test_a_board_keeps_its_http_port_while_nothing_listens_there(
    board: Board, tmp_path: Path
) -> None:
    """A board in download mode serves nothing, and must find its port free when it boots."""
    with pytest.raises(UserError, match=f"taken by process {board.info.pid} "):
        control.start(tmp_path / "other", "other", board.info.http_port)


def test_another_http_port_restarts_it_with_its_state(board: Board) -> None:
    port = free_port()
    moved = control.start(board.folder, "board", port)
    assert moved.pid != board.info.pid
    assert (moved.mac, moved.http_port) == (board.info.mac, port)
    assert control.start(board.folder, "board").http_port == port


def test_a_serial_port_that_was_taken_meanwhile_is_replaced(board: Board) -> None:
    control.stop(board.folder)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port_of(board)))
        other.listen()
        assert control.start(board.folder, "board").port_url != board.info.port_url


def test_a_changed_program_restarts_it(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    current = control.source_digest()
    assert board.info.source == current
    changed = iter(["changed"])
    monkeypatch.setattr(control, "source_digest", lambda: next(changed, current))
    assert control.start(board.folder, "board").pid != board.info.pid


def test_all_that_a_board_runs_counts_as_its_program() -> None:
    program = (
        "import sys, viper.virtual_board.__main__, viper.emulator.__main__; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    modules = {name for name in done.stdout.split() if name.count(".") == 2 and "viper." in name}
    others = {name for name in modules if name.split(".")[1] not in control.WINGS}
    assert others == {*control.IMPORTED}


def test_a_broken_state_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "board.json").write_text("{}")
    with pytest.raises(UserError, match="does not describe a board"):
        control.start(tmp_path, "board")


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(UserError, match=r"lock: Is a directory"):
        control.start(tmp_path, "board")


def test_a_flash_file_of_another_size_is_told(tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(b"short")
    with pytest.raises(UserError, match="has 5 bytes"):
        control.start(tmp_path, "board")


def test_asking_a_board_that_is_not_running_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no board is running") as caught:
        control.reset(tmp_path / "default")
    assert caught.value.next_step == "./scons flash"
    with pytest.raises(UserError) as caught:
        control.reset(tmp_path / "bench")
    assert caught.value.next_step == "./scons flash PORT=virtual:bench"


def test_one_client_at_a_time_and_the_second_is_told_who_holds_it(
    board: Board, connect: Connect
) -> None:
    connect(board)
    assert f"process {os.getpid()} (" in (board.now().port_holder or "")
    with socket.create_connection(("127.0.0.1", port_of(board))) as second:
        told = second.makefile().readline()
    assert f"the virtual board's port is held by process {os.getpid()} (" in told


def test_a_client_that_is_gone_frees_the_port(board: Board, connect: Connect) -> None:
    connect(board).close()
    deadline = time.monotonic() + 60
    while board.now().port_holder is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_other_users_are_refused(board: Board) -> None:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write_end, _as_nobody(board))
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as told:
        assert told.read() == b"this virtual board belongs to another user\r\n, nothing"
    os.waitpid(child, 0)
    assert board.now().pid == board.info.pid


def _as_nobody(board: Board) -> bytes:
    """What the port and the control socket tell another user, who may not even read our files."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    with socket.create_connection(("127.0.0.1", port_of(board))) as port:
        told = port.recv(1000)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(control.address(board.folder))
        try:
            connection.sendall(b'{"do": "stop"}\n')
            answer = connection.recv(1000)
        except ConnectionError:
            answer = b""
    return told + b", " + (answer or b"nothing")


def test_a_connection_that_its_process_has_left_is_nobodys(listener: socket.socket) -> None:
    """The kernel prints such a socket as root's, and root's board must not take it for its own."""
    client = socket.create_connection(listener.getsockname())
    accepted, (address, port) = listener.accept()
    server_port = listener.getsockname()[1]
    held = tcp_table.client_socket(address, port, server_port)
    assert held is not None
    assert held.uid == os.getuid()
    client.sendall(b"x")
    client.close()
    assert tcp_table.client_socket(address, port, server_port) is None
    accepted.close()


def test_a_board_that_hangs_is_stopped_all_the_same(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(board.info.pid, signal.SIGSTOP)
    monkeypatch.setattr(control, "_ANSWER_LIMIT_S", 0.1)
    monkeypatch.setattr(control, "_STOP_LIMIT_S", 0.1)
    assert control.stop(board.folder)
    assert ended(board.info.pid, 0)


def test_a_board_that_hangs_is_told_with_the_command_that_stops_it(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(board.info.pid, signal.SIGSTOP)
    monkeypatch.setattr(control, "_ANSWER_LIMIT_S", 0.1)
    with pytest.raises(UserError, match="does not answer") as caught:
        control.running(board.folder)
    assert caught.value.next_step == "./scons board-stop PORT=virtual:board"
    os.kill(board.info.pid, signal.SIGCONT)


def test_nonsense_at_the_control_socket_does_no_harm(board: Board) -> None:
    for nonsense in (b"\n", b"{}\n", b'{"do": "dance"}\n', b'{"do": "reset", "x": 1}\n', b"[]\n"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(control.address(board.folder))
            connection.sendall(nonsense)
            assert connection.recv(100) == b""
    assert board.now().pid == board.info.pid
    assert (board.folder / "board.log").read_bytes() == b""
