# SPDX-License-Identifier: MIT
"""Who is behind a local TCP port, from /proc."""

from __future__ import annotations

import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import inet_aton

from viper.ports.port import command_of

_LISTEN = 0x0A
_LOOPBACK = "0100007F"  # 127.0.0.1 as /proc/net/tcp prints it
_MAPPED = "0000000000000000FFFF0000"  # before an IPv4 address in /proc/net/tcp6
_ANY = ("00000000", "00000000000000000000000000000000")


@dataclass(frozen=True)
class Socket:
    """One end of a connection, or a listener: whose it is and its inode in /proc/*/fd."""

    uid: int
    inode: int


@dataclass(frozen=True)
class _Row:
    address: str
    port: int
    peer_port: int
    state: int
    socket: Socket


def _rows() -> Iterator[_Row]:
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            field = line.split()
            address, port = field[1].split(":")
            yield _Row(
                address,
                int(port, 16),
                int(field[2].split(":")[1], 16),
                int(field[3], 16),
                Socket(int(field[7]), int(field[9])),
            )


def client_socket(address: str, port: int, server_port: int) -> Socket | None:
    """The other end of an accepted connection, None if its process has closed it.

    Args:
        address: IPv4 address that the connection comes from, on this machine.
        port: the port that it comes from.
        server_port: the port that it was accepted on.
    """
    plain = inet_aton(address)[::-1].hex().upper()
    for row in _rows():
        ports = (row.port, row.peer_port)
        if ports == (port, server_port) and row.address in (plain, _MAPPED + plain):
            # One that nobody holds any more is printed without its inode, and as root's.
            return row.socket if row.socket.inode else None
    return None


def listener(port: int) -> Socket | None:
    """Who listens on 127.0.0.1:port, or on it on all addresses."""
    for row in _rows():
        if row.state == _LISTEN and row.port == port and row.address in (_LOOPBACK, *_ANY):
            return row.socket
    return None


def describe(socket: Socket) -> str:
    """The process that holds a socket, for a message: "process 412 (python -m http.server)"."""
    link = f"socket:[{socket.inode}]"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(entry.readlink()) == link for entry in (process / "fd").iterdir()):
                return describe_process(int(process.name))
        except OSError:
            continue  # it has ended, or is another user's
    try:
        return f"a process of user {pwd.getpwuid(socket.uid).pw_name}"
    except KeyError:
        return f"a process of user {socket.uid}"


def describe_process(pid: int) -> str:
    """A process with the start of its command line."""
    return f"process {pid} ({command_of(pid)})"
