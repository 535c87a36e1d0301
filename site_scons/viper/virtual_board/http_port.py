# SPDX-License-Identifier: MIT
"""The host port that forwards to a board's port 80, reserved for as long as the board runs.

The application binds the port itself and lets go of it at each reset. So that nothing of ours takes
it meanwhile, a board also holds a local socket named after the port.
"""

from __future__ import annotations

import socket

from viper.base.errors import UserError
from viper.virtual_board import tcp_table
from viper.virtual_board.control_server import peer_pid
from viper.virtual_board.serial_port import HOST

_CHOICES = range(8081, 9000)  # where a board without a chosen port looks for a free one


class PortTaken(Exception):
    """The port cannot be had; the message goes on from "HTTP port N ..." and says why."""


def claim(port: int) -> socket.socket:
    """Reserve a port; closing the socket, or the process's end, frees it.

    Raises:
        PortTaken: another board has reserved it, or a process listens on it.
    """
    lease = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lease.bind(_lease_name(port))
    except OSError:
        lease.close()
        raise PortTaken(f"is taken by {_leaseholder(port)}") from None
    lease.listen()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            lease.close()
            listener = tcp_table.listener(port)
            if listener is None:
                raise PortTaken(f"cannot be used: {error.strerror}") from None
            raise PortTaken(f"is taken by {tcp_table.describe(listener)}") from None
    return lease


def claim_any(preferred: int) -> tuple[int, socket.socket]:
    """Reserve the preferred port if it is free (0: none is), else the first free one.

    Raises:
        PortTaken: there is none.
    """
    for port in [preferred or _CHOICES[0], *_CHOICES]:
        try:
            return port, claim(port)
        except PortTaken:
            continue
    raise PortTaken(f"and all others up to {_CHOICES[-1]} are taken")


def _lease_name(port: int) -> str:
    return f"\0viperhttp-http-port-{port}"


def _leaseholder(port: int) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)  # nobody accepts: at some time its queue is full
        try:
            connection.connect(_lease_name(port))
        except OSError:
            return "another virtual board"
        return tcp_table.describe_process(peer_pid(connection))


def refusal(called: str, port: int, taken: PortTaken) -> UserError:
    """What a person is told of a port that a board cannot have."""
    return UserError(
        f"{called}: HTTP port {port} {taken}",
        "end that process, or choose another port with HTTP_PORT=",
    )
