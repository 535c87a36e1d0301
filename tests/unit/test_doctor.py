# SPDX-License-Identifier: MIT
"""Each line of `./scons doctor`: that it can be well, and what it says when it is not."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from project import ROOT
from viper.dev import doctor
from viper.dev.doctor import MISSING, OK, WARNING, Finding
from viper.ports import port
from viper.ports.usb_serial import UsbSerial

PINNED = "v5.5.1"


@pytest.mark.parametrize(
    ("version", "state"), [((3, 9), MISSING), ((3, 10), OK), ((3, 13), OK), ((3, 14), WARNING)]
)
def test_python(version: tuple[int, int], state: str) -> None:
    assert doctor.python(version).state == state


def test_packages(tmp_path: Path) -> None:
    assert doctor.packages(ROOT / "requirements/base.txt").state == OK
    lock = tmp_path / "base.txt"
    lock.write_text("pytest==0.1 \\\n    --hash=sha256:00\n")
    wrong = doctor.packages(lock)
    assert wrong.state == MISSING and "pytest is " in wrong.told and "./scons" in wrong.mend
    lock.write_text("no-such-package==1 \\\n    --hash=sha256:00\n")
    assert "no-such-package is not installed" in doctor.packages(lock).told
    lock.write_text('no-such-package==1 ; sys_platform == "win32" \\\n    --hash=sha256:00\n')
    assert doctor.packages(lock).state == OK


def test_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("gcc", "make", "git", "setpriv"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {finding.subject for finding in doctor.programs() if finding.state == MISSING} == set()
    (tmp_path / "gcc").unlink()
    found = {finding.subject: finding for finding in doctor.programs()}
    assert found["gcc"].state == MISSING and found["gcc"].mend == "sudo apt install gcc"
    assert found["ccache"].state == WARNING and found["ccache"].mend == "sudo apt install ccache"


@pytest.mark.parametrize(("free", "state"), [(10**6, MISSING), (10**9, WARNING), (10**11, OK)])
def test_disk(free: int, state: str) -> None:
    finding = doctor.disk(free)
    assert finding.state == state and bool(finding.mend) == (state != OK)


def test_esp_idf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDF_PATH", "IDF_TOOLS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    own = tmp_path / "esp-idf"
    absent = doctor.idf(None, own, PINNED, is_needed=False)
    assert absent.state == WARNING and "./scons idf" in absent.mend
    assert doctor.idf(None, own, PINNED, is_needed=True).state == MISSING
    shutil.copytree(ROOT / "tests/doubles/idf/tools/cmake", own / "tools/cmake")
    (own / "export.sh").write_text("echo ERROR: tool xtensa-esp-elf has no installed versions\n")
    incomplete = doctor.idf(None, own, PINNED, is_needed=True)
    assert incomplete.state == MISSING and "xtensa-esp-elf is not installed" in incomplete.told
    assert "install.sh" in incomplete.mend
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "idf.py").touch(mode=0o755)
    (tools / "python").touch()
    (own / "export.sh").write_text(
        f'export PATH="{tools}:$PATH" IDF_PYTHON_ENV_PATH="{tmp_path}"\n'
    )
    assert doctor.idf(None, own, PINNED, is_needed=True).state == OK


def test_serial_ports(tmp_path: Path) -> None:
    assert [finding.state for finding in doctor.serial_ports([])] == [OK]
    device = UsbSerial(str(tmp_path / "ttyACM0"), "1-2", 0x303A, 0x1001, "")
    Path(device.tty).touch()
    assert [finding.state for finding in doctor.serial_ports([device])] == [OK]


def test_a_serial_port_without_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = UsbSerial(str(tmp_path / "ttyACM0"), "1-2", 0x303A, 0x1001, "")
    Path(device.tty).touch(mode=0)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may open every port
    (finding,) = doctor.serial_ports([device])
    assert finding.state == WARNING and finding.mend


def test_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = tmp_path / "version"
    version.write_text("Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)")
    assert doctor.windows(version).told == "this is no WSL"
    version.write_text("Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f)")
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.windows(version)
    assert finding.state == WARNING and "usbipd" in finding.mend
    (tmp_path / "usbipd.exe").touch(mode=0o755)
    assert doctor.windows(version) == doctor.Finding("WSL", OK, "WSL 2")


def test_page_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        finding = doctor.page_port(number, {})
        assert finding.state == WARNING and "HTTP_PORT=" in finding.mend
        assert doctor.page_port(number, {number: "default"}).state == OK
    assert doctor.page_port(number, {}).state == OK


def test_device() -> None:
    finding = doctor.device(port.parse("/dev/ttyUSB-none"))
    assert finding.state == MISSING and "/dev/ttyUSB-none: there is no such device" in finding.told


# A way to make each check find something, by its name.
ILL: dict[str, Callable[[Path, pytest.MonkeyPatch], Finding | Iterable[Finding]]] = {
    "python": lambda *_: doctor.python((3, 9)),
    "packages": lambda folder, _: doctor.packages(_lock_of_nothing(folder)),
    "programs": lambda folder, monkeypatch: _without_programs(folder, monkeypatch),
    "disk": lambda *_: doctor.disk(0),
    "idf": lambda folder, _: doctor.idf(None, folder, PINNED, is_needed=True),
    "emulator": lambda *_: doctor.emulator("/nowhere", None, "esp32s3", is_needed=True),
    "serial_ports": lambda folder, monkeypatch: _without_rights(folder, monkeypatch),
    "windows": lambda folder, monkeypatch: _without_usbipd(folder, monkeypatch),
    "lab": lambda _, monkeypatch: _without_coordinator(monkeypatch),
    "page_port": lambda *_: _with_a_port_taken(),
    "device": lambda *_: doctor.device(port.parse("/dev/ttyUSB-none")),
}


def _lock_of_nothing(folder: Path) -> Path:
    lock = folder / "base.txt"
    lock.write_text("no-such-package==1 \\\n    --hash=sha256:00\n")
    return lock


def _without_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterable[Finding]:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    return doctor.programs()


def _without_rights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterable[Finding]:
    (folder / "ttyACM0").touch(mode=0)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may open every port
    return doctor.serial_ports([UsbSerial(str(folder / "ttyACM0"), "1-2", 0x303A, 0x1001, "")])


def _without_usbipd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Finding:
    monkeypatch.setenv("PATH", str(folder))
    (folder / "version").write_text("Linux version 5.15.167.4-microsoft-standard-WSL2")
    return doctor.windows(folder / "version")


def _without_coordinator(monkeypatch: pytest.MonkeyPatch) -> Finding:
    monkeypatch.delenv("LG_COORDINATOR", raising=False)
    return doctor.lab("desk")


def _with_a_port_taken() -> Finding:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return doctor.page_port(taken.getsockname()[1], {})


# What a person types, in a shell here or on Windows, or a goal of ours.
_COMMAND = re.compile(
    r"\./scons(?: (-c|[a-z][\w-]*))?|\b(?:sudo|winget|pipx) |\b[A-Z_]+=\S+|plug the board in"
)


def test_there_is_a_way_to_make_each_check_fail() -> None:
    checks = {
        name
        for name, function in inspect.getmembers(doctor, inspect.isfunction)
        if function.__module__ == doctor.__name__
        and "Finding" in function.__annotations__["return"]
    }
    assert set(ILL) == checks


@pytest.mark.parametrize("check", ILL)
def test_each_check_fails_and_names_a_command(
    check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ILL[check](tmp_path, monkeypatch)
    findings = [found] if isinstance(found, Finding) else list(found)
    goals = re.findall(
        r'^goal\(\s*"\w+", "([\w-]+)"', (ROOT / "SConstruct").read_text(), re.MULTILINE
    )
    assert findings
    for finding in findings:
        assert finding.state in (WARNING, MISSING) and finding.told
        command = _COMMAND.search(finding.mend)
        assert command, finding
        assert command[1] in (None, "-c", *goals), finding
