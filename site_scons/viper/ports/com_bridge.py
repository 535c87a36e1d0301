# SPDX-License-Identifier: MIT
"""A serial port of Windows over the network: esptool's RFC 2217 server, run by Windows' Python.

The server listens on every network of the computer and asks nobody for a password. It runs no
longer than the process that has started it.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import struct
import subprocess
import time
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError
from viper.ports import wsl

_ROUTES = Path("/proc/net/route")
_INTERPRETERS = ("python.exe", "py.exe")
_FIRST_PORT = 4000  # and the COM number: a rule of the firewall goes on to fit
_START_S = 20.0
_CONNECT_S = 3.0

# The server, for as long as standard input is open: what starts it may be killed.
_PROGRAM = (
    "import os,runpy,sys,threading;"
    "threading.Thread(target=lambda:(sys.stdin.read(),os._exit(0)),daemon=True).start();"
    "runpy.run_module('esp_rfc2217_server',run_name='__main__')"
)
_READY = b"Waiting for connection"

_running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}


def interpreter() -> str | None:
    """A Python of Windows that has esptool, None if there is none."""
    for name in _INTERPRETERS:
        program = wsl.windows_program(name)
        if program is None:
            continue
        try:
            wsl.run_on_windows(program, "-c", "import esp_rfc2217_server")
            return program
        except process.ToolFailed:
            continue  # the Microsoft Store's placeholder, or a Python without esptool
    return None


def start(python: str, com: str, routes: Path = _ROUTES) -> str:
    """Serve a port, and say who else can reach it.

    Args:
        python: what `interpreter` found.
        com: "COM14".

    Returns:
        Its address, rfc2217://host:port.

    Raises:
        UserError: Windows cannot open the port, or its firewall keeps us out.
    """
    if com in _running and _running[com][0].poll() is None:
        return _running[com][1]
    host = windows_host(routes)
    number = _FIRST_PORT + int(com[3:])
    server = subprocess.Popen(
        [python, "-u", "-c", _PROGRAM, "-p", str(number), com],
        env=wsl.windows_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    said = _await_ready(server)
    if said is not None:
        stop(server)
        raise UserError(
            f"Windows' Python cannot serve {com}: {said}", f"close what uses {com} in Windows"
        )
    try:
        with socket.create_connection((host, number), _CONNECT_S) as connection:
            own = connection.getsockname()[0]
    except OSError as error:
        stop(server)
        raise UserError(
            f"the bridge to {com} cannot be reached at {host}:{number}: {error}",
            f"let WSL in, as administrator in PowerShell: New-NetFirewallRule -DisplayName "
            f"'{com} bridge' -Direction Inbound -Protocol TCP -LocalPort {number} -Action Allow",
        ) from None
    url = f"rfc2217://{host}:{number}"
    _running[com] = server, url
    console.step("BRIDGE", f"{com}  {url}, which every network of this computer can reach now")
    console.note(
        f"         to close it to others, as administrator in PowerShell:\n"
        f"         {firewall_line(com, number, host, own)}"
    )
    return url


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server."""
    assert server.stdin is not None and server.stdout is not None
    server.stdin.close()
    server.stdout.close()
    try:
        server.wait(_CONNECT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _await_ready(server: subprocess.Popen[bytes]) -> str | None:
    """Wait until a server listens; its last words if it does not."""
    assert server.stdout is not None
    said = b""
    deadline = time.monotonic() + _START_S
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        while _READY not in said:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return f"no answer within {_START_S:.0f} s"
            chunk = os.read(server.stdout.fileno(), 4096)
            if not chunk:
                lines = said.decode(errors="replace").strip().splitlines()
                return lines[-1].strip() if lines else "it ended without a word"
            said += chunk
    return None


def windows_host(routes: Path = _ROUTES) -> str:
    """The address at which Windows is reached from WSL 2.

    Raises:
        UserError: it is not reached at all.
    """
    try:
        mode = process.run(["wslinfo", "--networking-mode"]).strip()
    except (UserError, process.ToolFailed):
        mode = "nat"  # before WSL 2.0 there was no other
    if mode == "none":
        raise UserError(
            "WSL has no network, and so no way to Windows",
            "remove networkingMode=none from .wslconfig, then wsl --shutdown in Windows",
        )
    if mode != "nat":  # mirrored and its kin share the loopback with Windows
        return "127.0.0.1"
    for line in routes.read_text(encoding="utf-8").splitlines()[1:]:
        _, destination, gateway, *_ = line.split()
        if destination == "00000000" and gateway != "00000000":
            # As the kernel keeps it, in the byte order of this computer.
            return str(ipaddress.IPv4Address(struct.pack("=L", int(gateway, 16))))
    raise UserError("WSL has no route to Windows", "ip route; then wsl --shutdown in Windows")


def firewall_line(com: str, number: int, host: str, own: str) -> str:
    """What a person types to close the bridge to everybody but this WSL.

    Args:
        host: where Windows is reached.
        own: the address that Windows sees of us.
    """
    if ipaddress.ip_address(host).is_loopback:  # which the firewall of Windows lets pass
        others = "Any"
    else:
        address = ipaddress.IPv4Address(own)
        others = f"1.0.0.0-{address - 1},{address + 1}-223.255.255.255"
    return (
        f"New-NetFirewallRule -DisplayName '{com} bridge' -Direction Inbound -Protocol TCP "
        f"-LocalPort {number} -RemoteAddress {others} -Action Block"
    )
