# SPDX-License-Identifier: MIT
"""What PORT means, and who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.ports import com_port, port, usb_serial
from viper.ports.usb_serial import UsbSerial

RFC2217 = "rfc2217://172.22.176.1:4014"


@pytest.mark.parametrize(
    ("text", "board", "url"),
    [
        ("/dev/ttyUSB0", None, "/dev/ttyUSB0"),
        ("rfc2217://pi.local:4000", None, "viper://pi.local:4000"),
        ("rfc2217://[::1]:4000", None, "viper://[::1]:4000"),
        ("COM14", None, None),
        ("com3", None, None),
        ("auto", None, None),
    ],
)
def test_what_a_port_means(text: str, board: str | None, url: str | None) -> None:
    assert port.parse(text) == port.Port(text, board, url)


@pytest.mark.parametrize(("maker", "overlay"), [("virtual", ""), ("qemu", "qemu")])
def test_a_board_on_this_computer_has_a_name_and_a_maker(maker: str, overlay: str) -> None:
    for text, name in ((maker, "default"), (f"{maker}:bench-2", "bench-2")):
        meant = port.parse(text)
        assert meant == port.Port(text, name, None, maker=maker)
        assert meant.overlay == overlay and port.of_board(name, maker) == text


def test_only_who_runs_the_other_end_knows_whether_a_board_elsewhere_is_virtual() -> None:
    texts = ("virtual:bench", "qemu", "/dev/ttyUSB0", "COM14", "auto", RFC2217, "labgrid:desk")
    told = [port.parse(text).is_virtual for text in texts]
    assert told == [True, False, False, False, False, None, None]


@pytest.mark.parametrize(
    ("text", "next_step"),
    [
        ("virtal", "PORT is virtual"),
        ("virtual:", "as in PORT=virtual:bench"),
        ("qemu:", "as in PORT=qemu:bench"),
        ("virtual:../x", "as in PORT=virtual:bench"),
        ("COM", "PORT is virtual"),
        ("COM0", "PORT is virtual"),
        ("COM14:", "PORT is virtual"),
        ("rfc2217://host", "PORT is virtual"),
        ("rfc2217://host:99999", "PORT is virtual"),
        ("rfc2217://host:1?logging=debug", "PORT is virtual"),
        ("", "PORT is virtual"),
    ],
)
def test_a_port_that_means_nothing_is_refused_with_what_would(text: str, next_step: str) -> None:
    with pytest.raises(UserError) as caught:
        port.parse(text)
    assert f"PORT={text}" in caught.value.what
    assert next_step in caught.value.next_step


def test_a_command_names_any_port_but_the_default_one() -> None:
    assert port.typed("flash", "virtual") == "./scons flash"
    assert port.typed("flash", "/dev/ttyUSB0") == "./scons flash PORT=/dev/ttyUSB0"


def plugged_in(monkeypatch: pytest.MonkeyPatch, *vendors: int) -> None:
    """Let boards be connected: /dev/null, /dev/zero, ... with these USB vendors."""
    files = ("/dev/null", "/dev/zero", "/dev/full")
    devices = [
        UsbSerial(tty, f"1-{number}", vendor, 1, "")
        for number, (tty, vendor) in enumerate(zip(files, vendors, strict=False))
    ]
    monkeypatch.setattr(usb_serial, "connected", lambda: devices)


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged_in(monkeypatch, 0x10C4)
    with pytest.raises(UserError, match="/dev/ttyNONE9: there is no such device") as caught:
        port.find(port.parse("/dev/ttyNONE9"))
    assert caught.value.next_step == "./scons ports tells what is connected: /dev/null"
    with pytest.raises(UserError, match="not a serial device"):
        port.find(port.Port("/dev/shm", None, "/dev/shm"))


def test_auto_is_the_only_board(monkeypatch: pytest.MonkeyPatch) -> None:
    modem = 0x12D1
    plugged_in(monkeypatch, modem, 0x303A)
    assert port.find(port.parse("auto")) == "/dev/zero"
    plugged_in(monkeypatch, 0x1A86, 0x303A)
    with pytest.raises(UserError, match="2 boards are connected: /dev/null, /dev/zero"):
        port.find(port.parse("auto"))
    plugged_in(monkeypatch, modem)
    with pytest.raises(UserError, match="no board is connected"):
        port.find(port.parse("auto"))


def test_a_port_of_windows_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(com_port, "resolve", {"COM3": "/dev/null", "COM14": RFC2217}.get)
    assert port.find(port.parse("com3")) == "/dev/null"
    assert port.find(port.parse("COM14")) == "viper://172.22.176.1:4014"


def test_a_port_that_another_program_has_names_it() -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    with subprocess.Popen(["sleep", "60"], stdin=theirs) as holder:
        os.close(theirs)
        try:
            error = port.busy(name, f"PORT={name}")
        finally:
            holder.kill()
    os.close(ours)
    assert f"PORT={name} is in use by process {holder.pid} (sleep 60)" == error.what
    assert error.next_step.endswith(f"kill {holder.pid}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def locked(url: str) -> AbstractContextManager[None]:
    return port.lock(url, called="PORT", pid=os.getpid())


HOLD = """
import os, sys, time
from viper.ports import port
with port.lock(sys.argv[1], called="it", pid=os.getpid()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_port_has_one_holder_who_is_named_until_it_is_killed(
    folder: None, tmp_path: Path
) -> None:
    url = "viper://127.0.0.1:4000"
    environment = os.environ | {"PYTHONPATH": "site_scons", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", HOLD, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError) as caught, locked(url):
            pass
        assert f"process {holder.pid}" in caught.value.what
        assert sys.executable in caught.value.what
        assert caught.value.next_step.endswith(f"kill {holder.pid}")
        with locked("viper://127.0.0.1:4001"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with locked(url):
            pass


def test_a_device_file_is_one_port_under_all_its_names(folder: None, tmp_path: Path) -> None:
    alias = tmp_path / "by-id"
    alias.symlink_to("/dev/null")
    with locked("/dev/null"), pytest.raises(UserError), locked(str(alias)):
        pass


LEND = """
import os, signal, sys
from viper.ports import port
signal.pthread_sigmask(signal.SIG_BLOCK, [port.YIELD])
with port.lock(sys.argv[1], called="it", pid=os.getpid(), yields=True):
    print("held", flush=True)
    signal.sigwait([port.YIELD])
"""


def test_a_holder_that_lends_its_port_is_asked_for_it(
    folder: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "_YIELD_S", 30.0)
    url = "viper://127.0.0.1:4000"
    environment = os.environ | {"PYTHONPATH": "site_scons", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", LEND, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with locked(url):
                pass
        finally:
            holder.kill()
