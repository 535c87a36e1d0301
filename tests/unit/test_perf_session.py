# SPDX-License-Identifier: MIT
"""A run against a device that misbehaves: what is measured, what is said, what is kept."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.http_device import HttpDevice
from project import ROOT
from viper.base.errors import UserError
from viper.performance import command, load, session
from viper.performance.history import LATEST
from viper.performance.latency import milliseconds
from viper.performance.record import BURST, LONG, Record, from_document
from viper.performance.request import OK, REGRESSION, Request

PROFILE = '[light]\npaths = ["/"]\nclients = 4\nrate = 200\n'


@pytest.fixture
def device() -> Iterator[HttpDevice]:
    with HttpDevice().serving() as device:
        yield device


def request(tmp_path: Path, device: HttpDevice, profile: str = PROFILE, **more: object) -> Request:
    profiles = tmp_path / "profiles.toml"
    profiles.write_text(profile)
    values = {
        "host": device.address,
        "runs": 1,
        "burst_s": 0.2,
        "long_s": 0.3,
        "profiles_file": profiles,
        "history": tmp_path / "history",
        "report": tmp_path / "perf.html",
        **more,
    }
    return Request(**values)  # type: ignore[arg-type]


def kept(tmp_path: Path) -> Record:
    (path,) = (tmp_path / "history").glob("perf_*.json")
    return from_document(json.loads(path.read_text()))


def test_what_a_run_measures(tmp_path: Path, device: HttpDevice) -> None:
    assert command.run(request(tmp_path, device, runs=2)) == OK
    record = kept(tmp_path)
    assert record.state == "complete"
    assert record.device["mac"] == "02a274c09e1b"
    assert record.device["build"] == "5019536d4780a192"
    assert [(phase.run, phase.kind) for phase in record.phases] == [
        *[(1, BURST), (1, LONG), (2, BURST), (2, LONG)],
    ]
    burst, long = record.phases[:2]
    assert (burst.mode, long.mode) == ("closed loop", "open loop, 200/s")
    assert long.requests == 60  # 0.3 s of 200/s, however long they take
    assert long.paths["/"]["requests"] == 60
    latency = long.latency_ms
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"]
    answered = sum(phase.requests for phase in record.phases)
    assert answered == device.requests - 1  # which the check of the path has asked for
    assert long.before["free"] == {"heap_free": 8_217_984}
    told = long.after["counters"]['responses_total{status="200"}']
    assert told - long.before["counters"]['responses_total{status="200"}'] == 60
    assert 0 < long.generator["cpu"] <= 1.5


def test_a_record_names_the_commit_that_it_is_of(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "a.c").touch()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    run = replace(request(tmp_path, device), project=checkout)
    assert session.new_record(run, []).revision == ""  # no checkout yet
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init"], ["add", "."], [*identity, "commit", "-m", "one"]):
        subprocess.run(["git", *words], cwd=checkout, check=True, capture_output=True)
    commit = session.new_record(run, []).revision
    assert re.fullmatch("[0-9a-f]{12}", commit)
    (checkout / "a.c").write_text("int x;")
    assert session.new_record(run, []).revision == f"{commit}-dirty"


async def phase(device: HttpDevice, rate: float | None) -> load.Load:
    from aiohttp import ClientSession

    plan = load.Plan(f"http://{device.address}", ("/",), clients=2, duration_s=1.5, rate=rate)
    measured = load.prepare(plan)
    async with ClientSession() as client:
        await load.run(client, measured)
    return measured


def test_a_stall_shows_in_the_tail_of_an_open_loop(device: HttpDevice) -> None:
    """Each request that had to wait is counted, though two clients ask for no more meanwhile."""
    device.stall_at, device.stall_s = 50, 0.2
    latency = milliseconds(asyncio.run(phase(device, rate=200)).all.histogram)
    assert latency["p99"] > 100
    assert latency["max"] > 190


def test_errors_are_counted_by_what_went_wrong(tmp_path: Path, device: HttpDevice) -> None:
    profile = PROFILE + "[light.limits]\nerror_rate = 0.01\n"
    run = request(tmp_path, device, profile)
    wanted = command.profiles.load(run.profiles_file)
    record = session.new_record(run, wanted)
    original = session.Target.check

    async def then_fail(self: session.Target, path: str) -> None:
        await original(self, path)
        device.status = 503

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session.Target, "check", then_fail)
        session.measure(run, wanted, record)
    assert set(record.phases[0].errors) == {"status 503"}
    (broken,) = command.limits.broken(record, wanted)
    assert broken.startswith("light: 100.00% of the requests failed")
    assert "/: status 503" in broken


def test_a_broken_limit_is_status_1(
    tmp_path: Path, device: HttpDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    device.delay_s = 0.02
    profile = PROFILE + "[light.limits]\np95_ms = 10\n"
    assert command.run(request(tmp_path, device, profile)) == REGRESSION
    assert "over the limit: light: p95 is " in capsys.readouterr().out
    assert (tmp_path / "perf.html").exists()


def refused(tmp_path: Path, run: Request) -> str:
    """What a run that cannot be carried out says; the history before it is as it was."""
    history = tmp_path / "history"
    before = {path.name: path.read_bytes() for path in history.glob("*")}
    with pytest.raises(UserError) as problem:
        command.run(run)
    after = {path.name: path.read_bytes() for path in history.glob("*")}
    assert {name: after[name] for name in before} == before
    assert (LATEST in after) == (LATEST in before)
    return problem.value.what


def test_a_device_that_dies_midway(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.run(request(tmp_path, device, burst_s=0.1, long_s=0.1))
    monkeypatch.setattr(load, "SILENT_S", 0.2)
    device.die_at = device.requests + 100
    said = refused(tmp_path, request(tmp_path, device, tag="dies", burst_s=30))
    assert "light run 1/1 burst" in said and "has stopped answering" in said


def test_a_device_that_dies_in_its_second_phase_leaves_the_first(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "SILENT_S", 0.2)
    profile = PROFILE.replace("clients = 4", "clients = 1").replace("200", "1000")
    device.delay_s = 0.02
    device.die_at = 20
    refused(tmp_path, request(tmp_path, device, profile, burst_s=0.2, long_s=30))
    record = kept(tmp_path)
    assert record.state == "failed"
    assert "has stopped answering" in record.reason
    assert [phase.kind for phase in record.phases] == [BURST]
    assert "failed: " in next((tmp_path / "history").glob("*.md")).read_text()


def test_a_device_that_restarted(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = load.run

    async def and_restart(*arguments: object) -> None:
        await original(*arguments)  # type: ignore[arg-type]
        device.uptime = 3.0

    monkeypatch.setattr(load, "run", and_restart)
    assert "the device restarted 3 s ago" in refused(tmp_path, request(tmp_path, device))


def test_a_clock_that_jumps(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + (-3600 if device.requests > 20 else 0))
    said = refused(tmp_path, request(tmp_path, device))
    # The phase that was on when it jumped, or the next one if that one was just over.
    assert re.search(r"light run 1/1 (burst|long): this computer's clock jumped by -3600 s", said)


def test_the_whole_has_a_limit_of_time(tmp_path: Path, device: HttpDevice) -> None:
    started = time.monotonic()
    said = refused(tmp_path, request(tmp_path, device, burst_s=60, hard_timeout_s=0.3))
    assert said == "the run took longer than 0.3 s"
    assert time.monotonic() - started < 30


def test_a_phase_that_hangs_is_ended(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_PHASE_GRACE_S", 0.2)
    device.stall_at, device.stall_s = 10, 5
    said = refused(tmp_path, request(tmp_path, device))
    assert said == "light run 1/1 burst hangs: it took longer than 0.4 s"


def test_an_unreachable_host_is_said_at_once(
    tmp_path: Path, device: HttpDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viper.performance.target.PROBE_S", 0.2)
    said = refused(tmp_path, request(tmp_path, device, host="127.0.0.1:9"))
    assert said.startswith("http://127.0.0.1:9/health does not answer (")
    assert refused(tmp_path, request(tmp_path, device, host="a b")) == "HOST=a b is no host"


def test_a_path_that_is_not_there(tmp_path: Path, device: HttpDevice) -> None:
    run = request(tmp_path, device, PROFILE.replace('"/"', '"/nowhere"'), profiles=("light",))
    assert refused(tmp_path, run).endswith("/nowhere cannot be measured (status 404)")


def test_a_device_that_serves_nothing_of_any_profile(
    tmp_path: Path, device: HttpDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = PROFILE.replace('"/"', '"/nowhere"')
    assert command.run(request(tmp_path, device, nowhere)) == OK
    said = [line for line in capsys.readouterr().out.splitlines() if "not measured" in line]
    assert len(said) == 1 and "light: /nowhere is not served; app.mount()" in said[0]
    assert not list(tmp_path.glob("history/*")) and not (tmp_path / "perf.html").exists()


def test_ctrl_c_leaves_what_was_measured(tmp_path: Path, device: HttpDevice) -> None:
    """The script, as a person runs and interrupts it."""
    run = request(tmp_path, device)
    script = [sys.executable, str(ROOT / "tools/perf_regression.py"), device.address]
    script += [f"--profiles-file={run.profiles_file}", f"--history={run.history}"]
    script += [f"--report={run.report}", "--burst-duration=0.2", "--long-duration=60"]
    script += ["--heartbeat-ms=100"]
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "long: 0 s of 60 s" in line:  # its heartbeat
                break
        # The script hands over to the interpreter of .venv, and Ctrl-C reaches both.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in [process.pid, *map(int, children)]:
            os.kill(pid, signal.SIGINT)
        lines += process.stdout.readlines()
    assert process.returncode == 2, lines
    assert "error: interrupted\n" in lines
    record = kept(tmp_path)
    assert (record.state, record.reason) == ("partial", "interrupted")
    assert [phase.kind for phase in record.phases] == [BURST]
    assert not (tmp_path / "history" / LATEST).exists()
    assert not (tmp_path / "history/.lock").exists()


def test_a_generator_that_is_the_bottleneck_says_so(
    tmp_path: Path, device: HttpDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    original = load.Latencies.answered

    def slow(self: load.Latencies, seconds: float) -> None:
        end = time.process_time() + 0.004
        while time.process_time() < end:
            pass
        original(self, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load.Latencies, "answered", slow)
        command.run(request(tmp_path, device))
    said = capsys.readouterr().out
    assert "light burst: the load generator was the bottleneck in 1 of 1 runs" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[light", "not valid TOML"),
        ("light = 1", "[light] is no table"),
        ("[light]\nclients = 1", "the key 'paths' is missing"),
        ('[light]\npaths = "/"', "'paths' is '/'"),
        ('[light]\npaths = ["x"]', "'paths' is ['x']"),
        ('[light]\npaths = ["/"]\nclient = 3', "unknown key 'client'; did you mean 'clients'?"),
        ('[light]\npaths = ["/"]\nclients = 0', "'clients' is 0"),
        ('[light]\npaths = ["/"]\nrate = true', "'rate' is True"),
        ('[light]\npaths = ["/"]\n[light.limits]\np95 = 3', "unknown key 'p95'"),
        ('[heavy]\npaths = ["/"]', "no profile 'light'"),
    ],
)
def test_a_profile_that_is_wrong(tmp_path: Path, device: HttpDevice, text: str, said: str) -> None:
    run = request(tmp_path, device, text, profiles=("light",))
    assert said in refused(tmp_path, run)
