# SPDX-License-Identifier: MIT
"""A port of Windows served by esptool's own RFC 2217 server, with pyserial's loop:// behind it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from viper.base.errors import UserError
from viper.ports import com_bridge, com_port, port, serial_urls
from windows_computer import WindowsComputer


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowsComputer]:
    folder = tmp_path / "windows"
    folder.mkdir()
    yield WindowsComputer(folder, monkeypatch)
    for server, _ in com_bridge._running.values():
        com_bridge.stop(server)
    com_bridge._running.clear()


def test_port_that_is_not_shared_is_bridged_and_the_way_to_close_it_is_told(
    windows: WindowsComputer, capsys: pytest.CaptureFixture[str]
) -> None:
    windows.has_usbipd("not_shared")
    windows.has_python("loop://")
    url = com_port.resolve("COM14", windows.proc_version)
    assert url == "rfc2217://127.0.0.1:4014"
    told = capsys.readouterr().out
    assert "every network of this computer can reach" in told
    assert "New-NetFirewallRule" in told and "-LocalPort 4014" in told and "-Action Block" in told
    # A second look at the port takes the bridge that is there.
    assert com_port.resolve("COM14", windows.proc_version) == url
    assert capsys.readouterr().out == ""
    serial_urls.register()
    with serial.serial_for_url(port.viper_url(url), timeout=10) as line:
        line.write(b"through Windows and back")
        assert line.read(24) == b"through Windows and back"
    server, _ = com_bridge._running["COM14"]
    com_bridge.stop(server)
    assert server.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 4014))


def test_port_that_another_program_has_is_told_in_its_words(windows: WindowsComputer) -> None:
    windows.has_python("/dev/ttyNONE9")
    with pytest.raises(UserError, match=r"cannot serve COM14: .*ttyNONE9") as caught:
        com_port.resolve("COM14", windows.proc_version)
    assert "COM14" in caught.value.next_step


def test_windows_is_the_default_gateway_unless_the_network_is_mirrored(
    windows: WindowsComputer, tmp_path: Path
) -> None:
    routes = tmp_path / "route"
    routes.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t01B016AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t00B016AC\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n"
    )
    assert com_bridge.windows_host(routes) == "172.22.176.1"
    windows.install("wslinfo")
    assert com_bridge.windows_host(routes) == "127.0.0.1"


def test_the_firewall_line_leaves_nobody_but_this_wsl() -> None:
    line = com_bridge.firewall_line("COM14", 4014, "172.22.176.1", "172.22.180.5")
    assert "-RemoteAddress 1.0.0.0-172.22.180.4,172.22.180.6-223.255.255.255 -Action Block" in line
    assert "-RemoteAddress Any" in com_bridge.firewall_line("COM14", 4014, "127.0.0.1", "127.0.0.1")
