"""What PORT means, and who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from viper import port
from viper.errors import UserError


@pytest.mark.parametrize(
    ("text", "board", "url"),
    [
        ("virtual", "default", None),
        ("virtual:bench-2", "bench-2", None),
        ("/dev/ttyUSB0", None, "/dev/ttyUSB0"),
        ("rfc2217://pi.local:4000", None, "viper://pi.local:4000"),
        ("rfc2217://[::1]:4000", None, "viper://[::1]:4000"),
    ],
)
def test_what_a_port_means(text: str, board: str | None, url: str | None) -> None:
    assert port.parse(text) == port.Port(text, board, url)


@pytest.mark.parametrize(
    ("text", "next_step"),
    [
        ("virtal", "PORT is virtual"),
        ("virtual:", "as in PORT=virtual:bench"),
        ("virtual:../x", "as in PORT=virtual:bench"),
        ("COM14", "/dev/ttyUSB0"),
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


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="/dev/ttyNONE9: there is no such device"):
        port.check(port.parse("/dev/ttyNONE9"))
    with pytest.raises(UserError, match="not a serial device"):
        port.check(port.Port("/dev/shm", None, "/dev/shm"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def locked(url: str) -> AbstractContextManager[None]:
    return port.lock(url, called="PORT", pid=os.getpid())


HOLD = """
import os, sys, time
from viper import port
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
