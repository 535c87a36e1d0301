# SPDX-License-Identifier: MIT
"""A computer to type on: this one, in namespaces of its own.

Its ports are free, its addresses are what the pages call them, devices can be plugged into it, and
what is started on it ends with it. Nothing that is done here reaches the computer around it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import cable

DOUBLES = Path(__file__).parents[1] / "doubles"
_SIOCSIFADDR, _SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8916, 0x8913, 0x8914, 0x1
_OWN_FILES = ("group", "gshadow", "passwd", "shadow", "hosts")  # of /etc, which programs change


def command(*words: str) -> list[str]:
    """A command on a computer of its own, as its root; it takes what it starts with it."""
    namespaces = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--mount-proc"]
    return ["unshare", *namespaces, "--fork", "--kill-child", *words]


def can_be_had(folder: Path) -> bool:
    """Whether the kernel, or a container around this, allows such a computer."""
    return subprocess.run(command(*_overlay(folder, folder)), capture_output=True).returncode == 0


def keep_changes_apart(place: Path, folder: Path) -> None:
    """Let what is changed in a folder go to another one, and be seen here only."""
    subprocess.run(_overlay(place, folder), check=True)


def _overlay(place: Path, folder: Path) -> list[str]:
    changes, work = folder / "changes", folder / "work"
    changes.mkdir()
    work.mkdir()
    folders = f"lowerdir={place},upperdir={changes},workdir={work}"
    return ["mount", "-t", "overlay", "own", str(place), "-o", folders]


def bring_up_network(*addresses: str) -> None:
    """Let the computer reach itself, by further addresses too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for number, address in enumerate(addresses, 1):
            name = f"lo:{number}".encode()
            packed = struct.pack("H2x4s", socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s", name, packed))
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16xh", fcntl.ioctl(control, _SIOCGIFFLAGS, request)[:18])[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def forward(host: str, number: int, to: int) -> None:
    """Let `host:number` be a port of 127.0.0.1, while this process runs."""
    server = socket.create_server((host, number), backlog=1024)

    def serve() -> None:
        while True:
            near = server.accept()[0]
            try:
                far = socket.create_connection(("127.0.0.1", to))
            except OSError:
                near.close()
                continue
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one of the two has gone
        source.close()
        target.close()


def own_etc(folder: Path, hosts: str) -> Path:
    """Make /etc this computer's own, of links to what stands there.

    Args:
        folder: where the former /etc is to be seen.
        hosts: lines for /etc/hosts.
    """
    etc = Path("/etc")
    _make_own(etc, folder)
    for name in _OWN_FILES:
        if (folder / name).is_file() and os.access(folder / name, os.R_OK):
            (etc / name).unlink()
            shutil.copy2(folder / name, etc / name)
    with (etc / "hosts").open("a") as file:
        file.write(hosts)
    return etc


def own_devices(folder: Path) -> Path:
    """Make /dev this computer's own, of links to what stands there, with UARTs that have DTR."""
    dev = Path("/dev")
    _make_own(dev, folder)
    (dev / "pts").unlink()
    (dev / "pts").mkdir()
    _mount("--bind", str(folder / "pts"), "/dev/pts")
    library = cable.build_double(folder.parent)
    Path("/etc/ld.so.preload").write_text(f"{library}\n")
    return dev


def be_wsl(file: Path) -> None:
    """Let /proc/version be that of WSL 2."""
    file.write_text("Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f)\n")
    _mount("--bind", str(file), "/proc/version")


def _make_own(place: Path, folder: Path) -> None:
    folder.mkdir()
    _mount("--rbind", str(place), str(folder))
    _mount("-t", "tmpfs", "own", str(place))
    for path in folder.iterdir():
        (place / path.name).symlink_to(path)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)
