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
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cable
import computer
import pages
from idf_double import IdfDouble, micropython_tree
from terminal import Terminal
from viper.virtual_board import control

_LIMIT_S = 300.0
_REAL_BOARD = "ESP32S3_N16R8"

# What ends only when it is told to, and what asks: what is shown, and what is typed then.
_NETWORK, _PASSWORD = "the attic", "correct horse"
_SESSIONS = {
    "dev": [("DEV ", "\x03")],
    "erase": [("settings and all?", "yes\r")],
    "monitor": [("ends this", "\x03")],
    "repl": [(">>> ", "\x1d")],
    "serve": [("Ctrl-C stops it", "\x03")],
    "wifi": [("Name of the network:", f"{_NETWORK}\r"), ("Its password", f"{_PASSWORD}\r")],
}

# What the lines of a page need besides a clone and ESP-IDF (its double): boards that have just been
# bought, or boards that have been flashed; a radio in them.
_NEW_BOARDS, _BOARDS, _RADIO = "new boards", "boards", "radio"
_NEEDS = {
    "README.md": {_NEW_BOARDS},
    "docs/index.md": {_NEW_BOARDS, _RADIO},
}
_DEVICES = ("ttyUSB0", "ttyUSB1")  # with a board at each
_ADDRESS = "192.168.0.7"  # of the first one in the network

# The options that the newcomer keeps: goals that measure are to be seen, not to be waited for; and
# ESP-IDF's double builds less of MicroPython than there is.
_OPTIONS = """
RUNS = 1
BURST_S = 0.2
LONG_S = 0.2
FUZZ_S = 1
MICROPYTHON = {tree!r} if any(
    word.startswith(("BOARD=ESP32", "PORT=/dev/", "PORT=COM", "PORT=rfc2217:"))
    for word in __import__("sys").argv
) else ""
"""
_TESTS = "tests/unit/test_url.py"  # not the suite within the suite


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
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTEST_ADDOPTS": _TESTS,
            "TERM": "dumb",
            "TMPDIR": str(home / "tmp"),
            "USER": "root",
        }

    def prepare(self) -> None:
        """Install ESP-IDF and the packages, and build for a real board."""
        (self._home / "tmp").mkdir()
        self._link_packages()
        idf = IdfDouble(self._home / "esp")
        executable = self.clone / "build/VIRTUAL_N16R8/firmware/micropython"
        (idf.folder / "host-program").write_text(str(executable))
        tree = micropython_tree(self.clone / "build/micropython", self._home / "micropython")
        (self.clone / "local.py").write_text(_OPTIONS.format(tree=str(tree)))
        self._build()

    def _link_packages(self) -> None:
        """Have the packages of this interpreter, as if ./scons had installed them."""
        environment = self.clone / ".venv"
        (environment / "bin").mkdir(parents=True)
        python = environment / "bin/python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (environment / "interpreter").symlink_to(python)
        shutil.copy2(self.clone / "requirements.txt", environment)

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
        computer.own_etc(folder / "etc", "127.0.0.1 bench\n")
        dev = computer.own_devices(folder / "dev")
        boards = {}
        for name in _DEVICES:
            board = folder / "boards" / name
            board.mkdir(parents=True)
            if not are_new:
                shutil.copy2(self.clone / f"build/{_REAL_BOARD}/flash.bin", board)
            boards[dev / name] = control.start(board, name)
        cable.connect(boards)
        computer.forward(_ADDRESS, 80, boards[dev / _DEVICES[0]].http_port)

    def type(self, line: pages.Line) -> tuple[int, str]:
        """Type a line; its exit status, and all that it has printed."""
        words = line.command.split()
        session = _SESSIONS.get(words[1]) if words[0] == "./scons" and words[1:] else None
        return self._sit_at(line.command, session) if session else self._run(line.command)

    def _run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", command],
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
    for line in pages.to_type(page):
        status, output = newcomer.type(line)
        problem = wrong(line, status, output)
        if shows or problem:
            print(f"{line.where}: $ {line.command}\n{output}", flush=True)
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
