# SPDX-License-Identifier: MIT
"""A newcomer who types the lines of a page, one after the other, on a computer of their own.

    python newcomer.py prepare HOME             build what all of them begin with, once
    python newcomer.py type HOME PAGE FOLDER    type a page's lines; run it by `computer.command`

HOME has their clone of the project, and what they have installed. What a page's lines do there goes
to FOLDER. Typing ends with status 0, or with 1 and the place of the first line that did not do what
its page says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import computer
import pages
from cable import Cable
from idf_double import IdfDouble, micropython_tree
from terminal import Terminal
from viper.virtual_board import control

_LIMIT_S = 300.0
_REAL_BOARD = "ESP32S3_N16R8"

# What ends only when it is told to, and what asks: what is shown, and what is typed then.
_CTRL_C = "\x03"
_NETWORK, _PASSWORD = "the attic", "correct horse"
_SESSIONS = {
    "dev": [("DEV ", _CTRL_C)],
    "erase": [("settings and all?", "yes\r")],
    "monitor": [("ends this", _CTRL_C)],
    "repl": [(">>> ", "\x1d")],
    "serve": [("Ctrl-C stops it", _CTRL_C)],
    "wifi": [("Name of the network:", f"{_NETWORK}\r"), ("Its password", f"{_PASSWORD}\r")],
}

# What the lines of a page need besides a clone and ESP-IDF (its double): boards that have just been
# bought, or boards that have been flashed; a radio in them; Windows around the computer.
_NEW_BOARDS, _BOARDS, _RADIO, _WINDOWS = "new boards", "boards", "radio", "Windows"
_NEEDS = {
    "README.md": {_NEW_BOARDS},
    "docs/dev.md": {_BOARDS},
    "docs/flashing.md": {_BOARDS},
    "docs/index.md": {_NEW_BOARDS, _RADIO},
    "docs/ota.md": {_BOARDS},
    "docs/performance.md": {_BOARDS},
    "docs/pipeline.md": {_BOARDS},
    "docs/ports.md": {_BOARDS, _RADIO, _WINDOWS},
    "docs/testing.md": {_BOARDS},
}
_DEVICES = ("ttyUSB0", "ttyUSB1")  # with a board at each
_ELSEWHERE = ("bench", 4000)  # another board's serial port, on another computer
_ADDRESS = "192.168.0.7"  # of the first one in the network

# The options that the newcomer keeps: goals that measure are to be seen, not to be waited for; and
# ESP-IDF's double builds less of MicroPython than there is.
_OPTIONS = """
RUNS = 1
BURST_S = 0.2
LONG_S = 0.2
FUZZ_S = 1
TOPICS = "templates"
MICROPYTHON = {tree!r} if any(
    word.startswith(
        ("BOARD=ESP32", "PORT=qemu", "PORT=/dev/", "PORT=COM", "PORT=rfc2217:", "HOST=192")
    )
    for word in __import__("sys").argv
) else ""
"""
_VERSION = "v1.28.0"  # of MicroPython, that the pages move a pin to
# Not the suite within the suite: a test each of the quick, the long, and those of a device.
_TESTS = (
    "tests/unit/test_url.py tests/unit/test_idf_double.py"
    " -k 'which_host or rules_of_kconfig or head_has_the_fields'"
)


class Newcomer:
    """Who has a home, with a clone of the project in it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.clone = home / "viperhttp"
        kept = {name: value for name, value in os.environ.items() if name.startswith("CCACHE_")}
        self._environment = {
            "CCACHE_DIR": str(Path(os.environ["HOME"], ".cache/ccache")),
            **kept,
            "HOME": str(home),
            "IDF_PATH": str(home / "esp/esp-idf"),
            "IDF_TOOLS_PATH": str(home / "esp/espressif"),
            "PATH": os.pathsep.join(
                [str(home / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "PYTEST_ADDOPTS": _TESTS,
            "TERM": "dumb",
            "TMPDIR": str(home / "tmp"),
            "USER": "root",
        }
        self._variables = ""  # of the newcomer's shell

    def prepare(self) -> None:
        """Install ESP-IDF and the packages, and build for a real board."""
        (self._home / "tmp").mkdir()
        (self._home / "bin").mkdir()
        self._provide("sudo", 'exec "$@"')  # who types is root on this computer
        self._make_git_host(self._home / "git-host")
        (self.clone / ".venv").symlink_to(sys.prefix)  # as ./scons has made it
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "-qm", "One"]):
            subprocess.run(["git", *words], cwd=self.clone, check=True)
        qemu = self.clone / "tests/doubles/qemu/qemu.py"
        self._provide("qemu-system-xtensa", f"exec '{sys.executable}' '{qemu}' \"$@\"")
        idf = IdfDouble(self._home / "esp")
        executable = self.clone / "build/VIRTUAL_N16R8/firmware/micropython"
        (idf.folder / "host-program").write_text(str(executable))
        tree = micropython_tree(self.clone / "build/micropython", self._home / "micropython")
        (self.clone / "local.py").write_text(_OPTIONS.format(tree=str(tree)))
        self._build()

    def _provide(self, program: str, script: str) -> None:
        path = self._home / "bin" / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def _make_git_host(self, folder: Path) -> None:
        """Let git find a repository where it looks for GitHub: MicroPython of another version."""
        git = shutil.which("git")
        self._provide(
            "git", f'exec {git} -c "url.file://{folder}/.insteadOf=https://github.com/" "$@"'
        )
        pins = json.loads((self.clone / "nix/pins.json").read_text())["micropython"]
        repository = folder / urlsplit(pins["url"]).path.strip("/")
        repository.mkdir(parents=True)
        for command in (
            ["init", "--quiet"],
            *[
                ["update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{submodule}"]
                for submodule in pins["submodules"]
            ],
            ["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "Another"],
            ["tag", _VERSION],
        ):
            subprocess.run(["git", *command], cwd=repository, check=True)

    def _build(self) -> None:
        status, output = self._run(f"./scons image BOARD={_REAL_BOARD}")
        assert status == 0, output

    def get_radios(self) -> None:
        """Have boards with a radio: a double, which the application begins with."""
        digest = hashlib.sha256(_PASSWORD.encode()).hexdigest()
        double = (computer.DOUBLES / "micropython/radio_double.py").read_text()
        application = self.clone / "firmware/app"
        (application / "radio_double.py").write_text(
            double.replace('SHA256 = ""', f'SHA256 = "{digest}"')
        )
        boot = application / "boot.py"
        boot.write_text("import radio_double\n" + boot.read_text())

    def plug_in_boards(self, folder: Path, *, are_new: bool) -> None:
        """Connect boards to the computer and to the network."""
        if not are_new:
            self._build()
        host, number = _ELSEWHERE
        computer.own_etc(folder / "etc", f"127.0.0.1 {host}\n")
        dev = computer.own_devices(folder / "dev")
        boards: dict[str, control.BoardInfo] = {}
        for name in (*_DEVICES, host):
            board = folder / "boards" / name
            board.mkdir(parents=True)
            if not are_new:
                shutil.copy2(self.clone / f"build/{_REAL_BOARD}/flash.bin", board)
            boards[name] = control.start(board, name)
        self._cables = [Cable(dev / name, boards[name]) for name in _DEVICES]
        computer.forward(host, number, urlsplit(boards[host].port_url).port or 0)
        computer.forward(_ADDRESS, 80, boards[_DEVICES[0]].http_port)

    def have_windows(self) -> None:
        """Be WSL 2, in a Windows whose Python has esptool and the first board at COM14."""
        computer.be_wsl(self._home / "version")
        programs = self._home / "bin"
        for name in ("python.exe", "wslinfo"):
            shutil.copy2(computer.DOUBLES / "windows" / name, programs)
        (programs / "interpreter").write_text(sys.executable)
        (programs / "COM14").write_text(f"/dev/{_DEVICES[0]}")

    def type(self, line: pages.Line) -> tuple[int, str]:
        """Type a line; its exit status, and all that it has printed.

        What was interrupted as its page says has done well, unless it says otherwise.
        """
        if re.fullmatch(r"\w+=(\$\(.*\)|\S*)", line.command):
            self._variables += line.command + "\n"
        words = line.command.split()
        session = _SESSIONS.get(words[1]) if words[0] == "./scons" and words[1:] else None
        if not session:
            return self._run(line.command)
        status, output = self._sit_at(line.command, session)
        was_interrupted = session[-1][1] == _CTRL_C and "error:" not in output
        return 0 if was_interrupted else status, output

    def _run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", self._variables + command],
            cwd=self.clone,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
        )
        return done.returncode, done.stdout

    def _sit_at(self, command: str, session: list[tuple[str, str]]) -> tuple[int, str]:
        environment = [f"{name}={value}" for name, value in self._environment.items()]
        with Terminal(["env", "-i", *environment, "bash", "-c", command], self.clone) as terminal:
            for shown, keys in session:
                terminal.expect(shown, _LIMIT_S)
                terminal.type(keys)
            return terminal.end(_LIMIT_S), terminal.seen


def wrong(line: pages.Line, status: int, output: str) -> str | None:
    """What a page says otherwise of a line, or None."""
    if status != line.status:
        return f"{line.where}: `{line.command}` ends with status {status}"
    missing = line.missing(output)
    return missing and f"{line.where}: `{line.command}` does not print {missing!r}"


def type_page(home: Path, page: Path, folder: Path, *, shows: bool) -> int:
    """Type the lines of a page; the exit status."""
    computer.keep_changes_apart(home, folder)
    computer.bring_up_network(_ADDRESS)
    newcomer = Newcomer(home)
    needs = _NEEDS.get(pages.name(page), set())
    if _RADIO in needs:
        newcomer.get_radios()
    if needs & {_BOARDS, _NEW_BOARDS}:
        newcomer.plug_in_boards(folder, are_new=_NEW_BOARDS in needs)
    if _WINDOWS in needs:
        newcomer.have_windows()
    for line in pages.to_type(page):
        began = time.monotonic()
        status, output = newcomer.type(line)
        took = time.monotonic() - began
        problem = wrong(line, status, output)
        if shows or problem:
            print(f"{line.where}: $ {line.command}\n{output}{took:.1f} s\n", flush=True)
        if problem:
            print(problem)
            return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    prepare = actions.add_parser("prepare")
    prepare.add_argument("home", type=Path)
    typing = actions.add_parser("type")
    typing.add_argument("home", type=Path)
    typing.add_argument("page", type=Path)
    typing.add_argument("folder", type=Path)
    typing.add_argument("--show", action="store_true", help="print what each line prints")
    options = parser.parse_args()
    if options.action == "prepare":
        Newcomer(options.home).prepare()
        return 0
    page = options.page.resolve()
    return type_page(options.home, page, options.folder, shows=options.show)


if __name__ == "__main__":
    sys.exit(main())
