# SPDX-License-Identifier: MIT
"""A lab of the real labgrid on this computer, with virtual boards in its places."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from project import ROOT, wait_until
from viper.virtual_board import control

_PROGRAMS = ROOT / "build/labgrid-venv"
_LOCK = ROOT / "requirements/labgrid.txt"
_EXPORTER = "lab1"


def programs() -> Path:
    """The folder with labgrid's programs, installed when they are wanted for the first time."""
    _PROGRAMS.parent.mkdir(exist_ok=True)
    with _PROGRAMS.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy = _PROGRAMS / _LOCK.name  # written last
        if not (copy.is_file() and copy.read_bytes() == _LOCK.read_bytes()):
            subprocess.run([sys.executable, "-m", "venv", "--clear", _PROGRAMS], check=True)
            pip = [str(_PROGRAMS / "bin/python"), "-m", "pip", "install", "-qq", "--require-hashes"]
            subprocess.run([*pip, "--requirement", _LOCK], check=True)
            shutil.copy(_LOCK, copy)
    return _PROGRAMS / "bin"


class Lab:
    """A coordinator and an exporter, on free ports of the loopback.

    Args:
        folder: an empty folder.
        boards: the groups in which a virtual board's serial port is exported.
        raw: those in which one is exported that has no RFC 2217.
        places: the groups of each place.
    """

    def __init__(
        self,
        folder: Path,
        boards: list[str],
        raw: list[str],
        places: Mapping[str, list[str]],
    ) -> None:
        self._folder = folder
        self._programs = programs()
        self._forgotten = 0
        self._processes: list[subprocess.Popen[str]] = []
        self._boards = {name: folder / name for name in boards}
        path = folder / "bin"
        path.mkdir()
        (path / "labgrid-client").symlink_to(self._programs / "labgrid-client")
        exports = {name: self._serial_port(name) for name in boards}
        exports |= {name: {"host": "127.0.0.1", "port": 1, "protocol": "raw"} for name in raw}
        self._write("places.yaml", {name: _matches(groups) for name, groups in places.items()})
        self._write("exports.yaml", {n: {"NetworkSerialPort": e} for n, e in exports.items()})
        ready = self._start("labgrid-coordinator", r"^listening on (\S+)", "--listen=127.0.0.1:0")
        self.environment = {
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "LG_COORDINATOR": ready[1],
            "LG_HOSTNAME": "bench",
            "LG_USERNAME": "ann",
        }
        self._start(
            "labgrid-exporter",
            r"creating poll task",
            f"--name={_EXPORTER}",
            "--hostname=127.0.0.1",
            "exports.yaml",
        )

    def _serial_port(self, name: str) -> dict[str, object]:
        board = control.start(self._boards[name], name)
        return {"host": "127.0.0.1", "port": int(board.port_url.rpartition(":")[2])}

    def _write(self, name: str, content: object) -> None:
        """Write a YAML file, of which JSON is a part."""
        (self._folder / name).write_text(json.dumps(content), encoding="utf-8")

    def _start(self, program: str, ready: str, *arguments: str) -> re.Match[str]:
        """Start a program in the lab's folder, and wait for what it prints when it is ready."""
        log = self._folder / f"{program}.log"
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [str(self._programs / program), *arguments],
                cwd=self._folder,
                env={**os.environ, **getattr(self, "environment", {}), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._processes.append(process)
        wait_until(lambda: re.search(ready, log.read_text(), re.M) is not None, process)
        found = re.search(ready, log.read_text(), re.M)
        assert found
        return found

    def board(self, name: str) -> Path:
        """The folder of a board, for viper.virtual_board.control."""
        return self._boards[name]

    def client(self, *arguments: str, **environment: str) -> None:
        """Run labgrid-client, as ann unless LG_USERNAME is another."""
        subprocess.run(
            ["labgrid-client", *arguments],
            env={**os.environ, **self.environment, **environment},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

    def events(self, place: str) -> list[str]:
        """What has become of a place: "acquired by bench/ann", "released"."""
        return re.findall(rf"^{place}: place (.*)$", self._told()[self._forgotten :], re.M)

    def await_release(self, place: str) -> None:
        """Wait for what a process does that has outlived the run which started it."""
        coordinator = self._processes[0]
        wait_until(lambda: self.events(place)[-1:] == ["released"], coordinator)

    def forget_events(self) -> None:
        """Let `events` begin here."""
        self._forgotten = len(self._told())

    def _told(self) -> str:
        """What the coordinator has printed."""
        return (self._folder / "labgrid-coordinator.log").read_text(encoding="utf-8")

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(30)
        for folder in self._boards.values():
            control.stop(folder)


def _matches(groups: list[str]) -> dict[str, object]:
    """A place of these groups, in the coordinator's file."""
    return {"matches": [{"exporter": _EXPORTER, "group": name, "cls": "*"} for name in groups]}
