# SPDX-License-Identifier: MIT
"""Places of a lab, with a double of labgrid-client that answers what the real one has printed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project import ROOT, wait_until
from viper.base.errors import UserError
from viper.dev import doctor, port_list
from viper.dev.doctor import MISSING, OK, WARNING
from viper.ports import labgrid, labgrid_client, port
from viper.ports.labgrid_client import SerialPort

DOUBLE = ROOT / "tests/doubles/labgrid"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What labgrid-client is asked, by bench/ann, a line to each: `desk acquire`."""
    file = tmp_path / "asked"
    file.touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, value in {
        "PATH": f"{DOUBLE}{os.pathsep}{os.environ['PATH']}",
        "LAB_LOG": str(file),
        "LAB_DOWN": str(tmp_path / "down"),
        "LG_HOSTNAME": "bench",
        "LG_USERNAME": "ann",
        "LG_COORDINATOR": "lab:20408",
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT / "site_scons"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LG_PROXY", raising=False)
    return file


def refusal(place: str) -> UserError:
    with pytest.raises(UserError) as caught, labgrid_client.acquired(place):
        pass
    return caught.value


def test_a_place_is_acquired_for_its_serial_port_and_released(log: Path) -> None:
    with labgrid_client.acquired("desk") as (url, ours):
        assert (url, ours) == ("rfc2217://127.0.0.1:4001", True)
        assert log.read_text() == "desk acquire\ndesk show\n"
    assert log.read_text().endswith("desk release\n")


def test_a_place_that_its_holder_shares_is_used_and_left(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LG_USERNAME", "joe")
    with labgrid_client.acquired("allowed") as (url, ours):
        assert (url, ours) == ("rfc2217://127.0.0.1:4001", False)
    assert "release" not in log.read_text()


def test_a_place_that_somebody_else_holds_names_them_and_how_to_wait(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LG_USERNAME", "eve")
    error = refusal("allowed")
    assert error.what == "PORT=labgrid:allowed is in use: bench/ann has acquired it"
    assert error.next_step.endswith("labgrid-client reserve --wait name=desk")
    assert "release" not in log.read_text()


@pytest.mark.parametrize(
    ("place", "what", "next_step"),
    [
        ("bare", "has no serial port", "add-match EXPORTER/GROUP/NetworkSerialPort"),
        ("both", "lab1/s3-1/NetworkSerialPort/NetworkSerialPort, lab1/s3-2/", "del-match"),
        ("raw", "served as raw, without the lines DTR and RTS", "USBSerialPort"),
        ("unplugged", "not plugged in at lab1", "plug it in"),
    ],
)
def test_a_place_without_a_port_of_use_is_released_at_once(
    log: Path, place: str, what: str, next_step: str
) -> None:
    error = refusal(place)
    assert f"PORT=labgrid:{place}" in error.what and what in error.what
    assert next_step in error.next_step
    assert log.read_text().endswith(f"{place} release\n")


@pytest.mark.parametrize(
    ("place", "what", "next_step"),
    [
        ("away", "Match lab9/s3-1/* has no matching remote resource", "labgrid-client resources"),
        ("nosuch", "place pattern nosuch matches nothing", "labgrid-client places"),
        ("orphan", "its exporter lab1 has gone", "labgrid-exporter"),
    ],
)
def test_what_cannot_be_acquired_is_told(log: Path, place: str, what: str, next_step: str) -> None:
    error = refusal(place)
    assert what in error.what and next_step in error.next_step
    assert "release" not in log.read_text()


def test_a_port_behind_ssh_is_told_with_the_tunnel_to_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LG_PROXY", "gate")
    error = refusal("desk")
    assert "127.0.0.1 is reached by ssh to gate only" in error.what
    assert "ssh -N -L 4001:127.0.0.1:4001 gate" in error.next_step


def test_an_isolated_exporter_is_its_own_proxy(log: Path) -> None:
    (serial,) = labgrid_client.look("inner").serial_ports
    path = "lab2/s3-5/NetworkSerialPort/NetworkSerialPort"
    assert serial == SerialPort(path, "127.0.0.1", 4005, "rfc2217", "localhost")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Place 'desk'", "desk"),
        ("'host': '127.0.0.1'", "'host': 3"),
        ("'host': '127.0.0.1'", "'host': '127.0.0.1; \x1b[2J'"),
        ("'host': '127.0.0.1'", "'hostname': '127.0.0.1'"),
        ("'port': 4001", "'port': 70000"),
        ("'port': 4001", "'port': open('x')"),
        ("'params': {", "'params': 1, 'x': {"),
        ("{'acquired'", "{{'acquired'"),
        ("(lab1/s3-1/NetworkSerialPort/NetworkSerialPort)", ""),
    ],
)
def test_what_the_client_prints_is_a_strangers_word(old: str, new: str) -> None:
    printed = (DOUBLE / "show-desk.txt").read_text()
    assert old in printed
    with pytest.raises(UserError, match="of a place cannot be understood: ") as refused:
        labgrid_client.read_place(printed.replace(old, new))
    assert refused.value.next_step == "is it the lab's version? labgrid-client --version"


def test_the_lab_is_listed_with_who_holds_what(log: Path) -> None:
    held = {place.name: place.holder for place in labgrid_client.places()}
    assert held["desk"] == "bench/ann" and held["raw"] == ""
    assert sorted(held) == ["away", "bare", "both", "desk", "inner", "raw", "unplugged"]


def test_a_silent_coordinator_is_not_waited_for(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labgrid_client, "_LIMIT_S", 0.2)
    asked = time.monotonic()
    assert "no labgrid coordinator answers at lab:20408" in refusal("silent").what
    assert time.monotonic() - asked < 10


def test_a_coordinator_that_is_down_is_named(log: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    error = refusal("desk")
    assert error.what == "no labgrid coordinator answers at lab:20408"
    assert "LG_COORDINATOR=" in error.next_step


def test_without_the_program_the_error_says_how_to_get_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    error = refusal("desk")
    assert "labgrid-client is not on PATH" in error.what and "pipx" in error.next_step


def test_variables_that_mean_other_places_do_not_reach_the_program(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LG_ENV", "other.yaml")
    told = tmp_path / "labgrid-client"
    told.write_text("#!/bin/sh\necho \"Place '${LG_ENV-unset}':\"\n", encoding="utf-8")
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert labgrid_client.look("desk").name == "unset"


@pytest.mark.parametrize(
    ("place", "state", "told"),
    [
        (None, OK, "7 places at lab:20408"),
        ("away", OK, "away is free"),
        ("desk", WARNING, "desk is acquired by bench/ann"),
        ("nosuch", MISSING, "place pattern nosuch matches nothing"),
    ],
)
def test_doctor_looks_at_the_lab(log: Path, place: str | None, state: str, told: str) -> None:
    finding = doctor.lab(place)
    assert finding.state == state and told in finding.told
    assert bool(finding.mend) == (state != OK)
    assert "acquire" not in log.read_text()


def test_doctor_misses_a_coordinator_only_where_a_place_is_wanted(
    log: Path, tmp_path: Path
) -> None:
    (tmp_path / "down").touch()
    assert doctor.lab(None).state == WARNING
    assert doctor.lab("desk").state == MISSING and "LG_COORDINATOR" in doctor.lab("desk").mend


def test_ports_lists_the_lab(log: Path, tmp_path: Path) -> None:
    found = {each.port: each.state for each in port_list.everything([])}
    assert found["labgrid:desk"] == "held by bench/ann" and found["labgrid:raw"] == "free"
    (tmp_path / "down").touch()
    found = {each.port: each.state for each in port_list.everything([])}
    assert found["labgrid"] == "no labgrid coordinator answers at lab:20408"


RUN = """
import os, signal, sys
from viper.ports import labgrid
from viper.base import interrupt
interrupt.install()
signal.signal(signal.SIGINT, lambda *_: None)  # as SCons does
try:
    print(labgrid.hold(sys.argv[1]), labgrid.hold(sys.argv[1]), flush=True)
    print(labgrid._keepers[sys.argv[1]][0].pid, flush=True)
except KeyboardInterrupt:
    sys.exit("interrupted")
sys.stdin.read()
"""


def start(place: str) -> subprocess.Popen[str]:
    """A run that holds a place until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_line(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline()


def test_a_run_acquires_once_and_releases_at_its_end(log: Path) -> None:
    with start("desk") as run:
        assert read_line(run) == (
            "ACQUIRE  labgrid:desk  rfc2217://127.0.0.1:4001, released at the end\n"
        )
        assert read_line(run) == "rfc2217://127.0.0.1:4001 rfc2217://127.0.0.1:4001\n"
        read_line(run)
        with pytest.raises(UserError, match=rf"labgrid:desk is in use by process {run.pid} "):
            labgrid.hold("desk")
        assert run.communicate()[0] == ""
    assert log.read_text() == "desk acquire\ndesk show\ndesk release\n"


def test_a_place_that_could_not_be_released_is_told(log: Path, tmp_path: Path) -> None:
    with start("desk") as run:
        read_line(run), read_line(run), read_line(run)
        (tmp_path / "down").touch()
        assert run.communicate()[0] == (
            "error: PORT=labgrid:desk was not released: no labgrid coordinator answers at "
            "lab:20408\n  labgrid-client --place desk release\n"
        )


def test_a_run_that_is_killed_releases_too(log: Path) -> None:
    with start("desk") as run:
        read_line(run), read_line(run)
        keeper = os.pidfd_open(int(read_line(run)))
        run.send_signal(signal.SIGKILL)
        assert select.select([keeper], [], [], 30)[0]
        os.close(keeper)
    assert log.read_text().endswith("desk release\n")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGTERM, ""),
        (
            signal.SIGKILL,
            "error: PORT=labgrid:desk was not released: what held it was killed\n"
            "  labgrid-client --place desk release\n",
        ),
    ],
)
def test_a_keeper_may_be_ended_and_one_that_is_killed_is_missed(
    log: Path, number: signal.Signals, told: str
) -> None:
    with start("desk") as run:
        read_line(run), read_line(run)
        os.kill(int(read_line(run)), number)
        assert run.communicate()[0] == told
    assert log.read_text().endswith("release\n") == (told == "")


def test_ctrl_c_while_a_place_is_acquired_releases_it(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    monkeypatch.setenv("LAB_GATE", str(gate))
    with start("slow") as run:
        wait_until(lambda: "slow acquire\n" in log.read_text(), run)
        run.send_signal(signal.SIGINT)
        gate.write_text("")
        assert run.communicate()[0] == "interrupted\n"
    assert log.read_text().endswith("desk release\n")


def test_a_run_that_another_one_starts_uses_what_that_holds(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPERHTTP_HELD_PLACES", '{"shelf": "rfc2217://lab1:4711"}')
    assert port.find(port.parse("labgrid:shelf")) == "viper://lab1:4711"
    assert log.read_text() == ""


def test_a_port_names_a_place_or_leaves_it_to_labgrids_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert port.parse("labgrid:desk").place == "desk"
    assert port.parse("labgrid:+").place == "+"
    monkeypatch.setenv("LG_PLACE", "shelf")
    assert port.parse("labgrid").place == "shelf"
    monkeypatch.delenv("LG_PLACE")
    with pytest.raises(UserError, match="PORT=labgrid names no place"):
        port.parse("labgrid")
