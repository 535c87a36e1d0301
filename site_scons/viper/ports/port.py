# SPDX-License-Identifier: MIT
"""What PORT means: which device it names, how it is opened, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from viper.base.errors import UserError

VIRTUAL, QEMU = "virtual", "qemu"  # what a port begins with of a board on this computer
_ON_THIS_COMPUTER = (VIRTUAL, QEMU)
_TITLES = {VIRTUAL: "virtual board", QEMU: "emulated board"}
_OVERLAYS = {QEMU: "qemu"}  # the overlay that an image needs there
DEFAULT_BOARD = "default"  # what PORT=virtual is called
_FORMS = (
    "PORT is virtual, virtual:NAME, qemu, qemu:NAME, /dev/tty..., COM14, rfc2217://host:port, "
    "labgrid:PLACE or auto"
)
AUTO = "auto"  # the one board that is connected

YIELD = signal.SIGUSR1  # asks a process that holds a port between two uses to let go of it
_YIELD_S = 1.0  # what that may take
_YIELD_STEP_S = 0.01


@dataclass(frozen=True)
class Port:
    """A PORT that is well-formed; `parse` makes it."""

    text: str  # as the user gave it
    board: str | None  # the name of the board on this computer it means, None for any other device
    url: str | None  # what pyserial opens; None where that has to be found out first
    place: str | None = None  # the place that it means, of a labgrid lab
    maker: str = ""  # what stands for that board: VIRTUAL or QEMU

    @property
    def is_virtual(self) -> bool | None:
        """Whether a virtual board is there; None on another computer, where it may be either."""
        is_elsewhere = self.place is not None or (self.url or "").startswith("viper:")
        return None if is_elsewhere else self.maker == VIRTUAL

    @property
    def called(self) -> str:
        """What people are told of a board on this computer."""
        return board_called(self.board or "", self.maker)

    @property
    def overlay(self) -> str:
        """The overlay that an image for this port has; "" if it is one for the board itself."""
        return _OVERLAYS.get(self.maker, "")


def parse(text: str) -> Port:
    """Read a PORT.

    Raises:
        UserError: it is none of the known forms.
    """
    if "," in text:
        raise UserError(
            f"PORT={text} names several devices, and this takes one", "flash and sync take several"
        )
    scheme, _, rest = text.partition(":")
    if scheme in _ON_THIS_COMPUTER:
        name = DEFAULT_BOARD if text == scheme else rest
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", name):
            raise UserError(
                f"PORT={text}: '{rest}' cannot name a board",
                f"a name has 1 to 32 letters, digits, '-' and '_', as in PORT={scheme}:bench",
            )
        return Port(text, name, None, maker=scheme)
    if scheme == "labgrid":
        return Port(text, None, None, _place(text, rest))
    if scheme == "rfc2217":
        return Port(text, None, viper_url(text))
    if text == AUTO or _is_com(text):
        return Port(text, None, None)
    if text.startswith("/dev/"):
        return Port(text, None, text)
    raise UserError(f"PORT={text} is no port that is known here", _FORMS)


def split(text: str) -> list[str]:
    """The devices that a PORT names, as the user gave them: one, or several with commas between.

    Raises:
        UserError: one is named twice, by the same name or by another one that it has.
    """
    named = text.split(",")
    known: dict[str, str] = {}
    for each in named if named[1:] else ():
        device = _identity(each)
        if device in known:
            other = "" if known[device] == each else f", once as '{known[device]}'"
            raise UserError(f"PORT={text} names '{each}' twice{other}", "name each device once")
        known[device] = each
    return named


def _identity(text: str) -> str:
    """What is the same of two names of one device, as far as this computer knows by itself."""
    port = parse(text)
    if port.board is not None:
        return f"{port.maker}:{port.board}"
    if port.place is not None:
        return f"labgrid:{port.place}"
    if port.url is not None:
        return os.path.realpath(port.url) if port.url.startswith("/") else port.url.lower()
    return text.upper()


def viper_url(url: str) -> str:
    """The URL of our own pyserial handler for an RFC 2217 port.

    Raises:
        UserError: the URL lacks its host or port, or has options, which this handler has none of.
    """
    try:
        parts = urlsplit(url)
        host, number = parts.hostname, parts.port
    except ValueError:
        host = number = None
    if not host or not number or parts.path or parts.query:
        raise UserError(f"PORT={url} is not of the form rfc2217://host:port", _FORMS)
    return f"viper://{f'[{host}]' if ':' in host else host}:{number}"


def of_board(name: str, maker: str = VIRTUAL) -> str:
    """The PORT of a board on this computer."""
    return maker if name == DEFAULT_BOARD else f"{maker}:{name}"


def board_called(name: str, maker: str = VIRTUAL) -> str:
    """What people are told of a board on this computer: "virtual board 'bench'"."""
    return f"{_TITLES[maker]} '{name}'"


def typed(goal: str, port: str) -> str:
    """The command that a user types for a goal, given a PORT as the user gave it."""
    return f"./scons {goal}" + ("" if port == "virtual" else f" PORT={port}")


def find(port: Port) -> str:
    """What pyserial opens of a device that is no virtual board, and is there and may be opened.

    In WSL a port of Windows is handed over for that, and a place of a lab is acquired until the end
    of this process; a line says so.

    Raises:
        UserError: it is not there, or this user may not open it.
    """
    if port.url is not None:
        url = port.url
    elif port.place is not None:
        from viper.ports import labgrid

        url = viper_url(labgrid.hold(port.place))
    elif port.text == AUTO:
        url = _only_one()
    else:
        from viper.ports import com_port

        url = com_port.resolve(port.text.upper())
        if not url.startswith("/"):
            url = viper_url(url)
    if url.startswith("/"):
        _require_device(Path(url), f"PORT={port.text}")
    return url


def require(port: Port) -> None:
    """Refuse a device that cannot be there, as far as this computer knows by itself.

    Raises:
        UserError: it is not there, or this user may not open it.
    """
    if port.text == AUTO:
        _only_one()
    elif _is_com(port.text):
        from viper.ports import com_port

        com_port.require_wsl(port.text.upper())
    elif port.url is not None and port.url.startswith("/"):
        _require_device(Path(port.url), f"PORT={port.text}")


def _place(text: str, given: str) -> str:
    """The place of labgrid:PLACE, or of labgrid's own variable."""
    place = given or os.environ.get("LG_PLACE", "")
    if not place:
        raise UserError(f"PORT={text} names no place", "give PORT=labgrid:PLACE, or set LG_PLACE")
    return place


def _is_com(text: str) -> bool:
    return re.fullmatch(r"COM[1-9][0-9]{0,2}", text, re.IGNORECASE) is not None


def _only_one() -> str:
    """The device file of the one board that is connected."""
    from viper.ports import usb_serial

    found = [device.tty for device in usb_serial.connected() if device.is_of_boards]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"PORT=auto: {len(found)} boards are connected: {', '.join(found)}", "give one as PORT="
        )
    raise UserError(
        "PORT=auto: no board is connected by USB", "plug one in; ./scons ports lists what there is"
    )


def _require_device(path: Path, called: str) -> None:
    """Make sure that a device file is there and can be opened by this user."""
    from viper.ports import serial_rights, usb_serial

    try:
        is_device = stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        others = ", ".join(device.tty for device in usb_serial.connected())
        hint = "./scons ports tells what is connected" + (f": {others}" if others else "")
        raise UserError(f"{called}: there is no such device", hint) from None
    if not is_device:
        raise UserError(f"{called} is not a serial device", _FORMS)
    serial_rights.require(path, called)


@contextmanager
def lock(url: str, *, called: str, pid: int, yields: bool = False) -> Iterator[None]:
    """Hold a port alone, among all builds of this user on this machine.

    The lock is the kernel's (flock) and ends with its process, however that ends; the file only
    tells others who holds it.

    Args:
        url: what pyserial opens.
        called: what the error calls it.
        pid: the process that is to be named to others.
        yields: this process lets go of the port when it gets the signal YIELD, unless it is at
            work on the device: others ask for that before they give up.

    Raises:
        UserError: another process holds the port; it is named.
    """
    device = os.path.realpath(url) if url.startswith("/") else url
    path = _lock_folder() / (re.sub(r"[^A-Za-z0-9]+", "-", device).strip("-") + ".lock")
    with path.open("a+", encoding="utf-8") as file:
        if not _locked(file):
            holder = _Holder.read(file)
            if holder.yields_by is None or not _yielded(file, holder.yields_by):
                raise busy(url, called, holder.pid, holder.command)
        file.truncate(0)
        json.dump(
            {
                "pid": pid,
                "command": command_of(pid),
                "yields_by": os.getpid() if yields else None,
            },
            file,
        )
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _locked(file: TextIO) -> bool:
    """Lock a file, unless another process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _yielded(file: TextIO, pid: int) -> bool:
    """Ask a process to let go of a lock; whether it did, and the lock is ours."""
    with suppress(ProcessLookupError):
        os.kill(pid, YIELD)
    deadline = time.monotonic() + _YIELD_S
    while time.monotonic() < deadline:
        if _locked(file):
            return True
        time.sleep(_YIELD_STEP_S)  # the kernel has no wait for a lock that ends
    return False


def busy(url: str, called: str, pid: int | None = None, command: str = "") -> UserError:
    """The error for a port that someone else has open.

    Args:
        url, called: as in `lock`.
        pid, command: who has it open, if that is known.
    """
    if pid is None:
        pid = _process_with_open(url)
        command = command_of(pid) if pid is not None else ""
    if pid is None:
        return UserError(f"{called} is in use by another program", "close it and try again")
    return UserError(
        f"{called} is in use by process {pid} ({command})", f"wait for it, or end it: kill {pid}"
    )


def command_of(pid: int) -> str:
    """The command line of a process, cut to what fits a message."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "ended"
    text = b" ".join(words).decode(errors="replace").strip()
    return text if len(text) <= 80 else f"{text[:77]}..."


def _lock_folder() -> Path:
    """A folder of this user's own; a lock in a clone would not be seen by another clone."""
    folder = Path(tempfile.gettempdir()) / f"viperhttp-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder} belongs to another user", f"remove {folder}")
    return folder


@dataclass(frozen=True)
class _Holder:
    """What a lock's file says of who holds it: nothing while it is being written."""

    pid: int | None = None
    command: str = ""
    yields_by: int | None = None  # the process that takes YIELD

    @staticmethod
    def read(file: TextIO) -> _Holder:
        file.seek(0)
        try:
            record = json.loads(file.read())
            return _Holder(int(record["pid"]), str(record["command"]), record.get("yields_by"))
        except (ValueError, KeyError, TypeError):
            return _Holder()


def _process_with_open(path: str) -> int | None:
    """The process that has a device file open, as far as this user may see."""
    target = os.path.realpath(path)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == target and int(link.parts[2]) != os.getpid():
                return int(link.parts[2])
        except OSError:
            continue  # ended meanwhile, or another user's
    return None
