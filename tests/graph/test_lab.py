# SPDX-License-Identifier: MIT
"""PORT=labgrid:… in a lab of the real labgrid, with virtual boards in its places."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from dev_session import DevSession
from labgrid_lab import Lab
from project import Project, wait_until
from viper.virtual_board import control

BOARD = "BOARD=VIRTUAL_N16R8"
BY_ANN = "acquired by bench/ann"
ONCE = [BY_ANN, "released"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(
        tmp_path_factory.mktemp("lab"),
        boards=["first", "second", "third"],
        raw=["fourth", "fifth"],
        places={
            "desk": ["first"],
            "shelf": ["second"],
            "rack": ["third"],
            "taken": ["fourth"],
            "raw": ["fifth"],
            "both": ["first", "second"],
            "bare": [],
            "away": ["nowhere"],
        },
    )
    yield lab
    lab.close()


@pytest.fixture
def lab(shared: Lab) -> Lab:
    shared.forget_events()
    return shared


def test_a_pipeline_has_its_place_from_the_first_step_to_the_end(
    project: Project, lab: Lab
) -> None:
    run = project.scons("pipeline", "UNTIL=smoke", BOARD, "PORT=labgrid:desk", **lab.environment)
    assert (
        len(re.findall(r"^ACQUIRE  labgrid:desk  rfc2217://127\.0\.0\.1:", run.output, re.M)) == 1
    )
    assert "flash done" in run.output and "smoke done" in run.output
    assert lab.events("desk") == ONCE


def test_places_that_fail_are_released_and_what_others_have_is_refused(
    project: Project, lab: Lab
) -> None:
    lab.client("--place=taken", "acquire", LG_USERNAME="joe")
    control.set_faults(lab.board("second"), power_after_bytes=300_000)
    ports = "PORT=labgrid:rack,labgrid:shelf,labgrid:taken"
    run = project.scons("flash", BOARD, ports, status=2, **lab.environment)
    control.set_faults(lab.board("second"))
    control.power_on(lab.board("second"))
    assert re.search(r"^FLASH    labgrid:rack  ", run.output, re.M)
    assert re.search(r"^FAILED   labgrid:shelf  ", run.output, re.M)
    assert "labgrid:taken  PORT=labgrid:taken is in use: bench/joe has acquired it" in run.output
    assert "./scons flash PORT=labgrid:shelf,labgrid:taken" in run.output
    assert lab.events("rack") == lab.events("shelf") == ONCE
    assert lab.events("taken") == ["acquired by bench/joe"]


@pytest.mark.long
def test_two_places_at_once_and_each_by_itself(project: Project, lab: Lab) -> None:
    ports = ["PORT=labgrid:desk", "PORT=labgrid:rack"]
    project.scons("flash", BOARD, "PORT=labgrid:desk,labgrid:rack", **lab.environment)
    for port in ports:
        run = project.scons("flash", "smoke", BOARD, port, **lab.environment)
        assert "nothing to write: the chip holds it" in run.output
        assert "both cores answer" in run.output
    assert lab.events("desk") == lab.events("rack") == [*ONCE, *ONCE]


@pytest.mark.long
def test_what_the_user_has_acquired_stays_acquired(project: Project, lab: Lab) -> None:
    lab.client("--place=desk", "acquire")
    try:
        run = project.scons("flash", BOARD, "PORT=labgrid:desk", **lab.environment)
        assert "yours before, and left so" in run.output
        assert lab.events("desk") == [BY_ANN]
    finally:
        lab.client("--place=desk", "release")


@pytest.mark.long
def test_ctrl_c_releases(project: Project, lab: Lab) -> None:
    project.scons(BOARD, "PORT=labgrid:desk", **lab.environment)
    run = project.start("flash", BOARD, "PORT=labgrid:desk", **lab.environment)
    wait_until(lambda: lab.events("desk") != [], run)
    run.send_signal(signal.SIGINT)
    assert "interrupted" in run.communicate()[0]
    lab.await_release("desk")
    assert lab.events("desk") == ONCE


@pytest.mark.long
def test_the_incremental_loop_has_its_place_for_as_long_as_it_runs(
    project: Project, lab: Lab
) -> None:
    session = DevSession(project.start("dev", BOARD, "PORT=labgrid:desk", **lab.environment))
    try:
        session.wait_for(r"^DEV ")
        project.edit("assets/www/app.js", "fetch", "fetch ")
        session.wait_for(r"^SEND +/www/app.js")
    finally:
        session.interrupt()
    assert session.output.count("ACQUIRE") == 1
    assert lab.events("desk") == ONCE


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("bare", "has no serial port"),
        ("both", "has several serial ports: lab1/first/NetworkSerialPort/NetworkSerialPort, lab1/"),
        ("raw", "is served as raw"),
        ("away", "cannot be acquired: Match lab1/nowhere/* has no matching remote resource"),
        ("nosuch", "place pattern nosuch matches nothing"),
    ],
)
def test_places_of_no_use(project: Project, lab: Lab, place: str, says: str) -> None:
    run = project.scons("erase", BOARD, f"PORT=labgrid:{place}", status=2, **lab.environment)
    assert f"error: PORT=labgrid:{place}" in run.output and says in run.output
    assert "Traceback" not in run.output
    assert lab.events(place) in ([], ONCE)


@pytest.mark.long
def test_a_coordinator_that_is_not_there(project: Project, lab: Lab) -> None:
    nowhere = lab.environment | {"LG_COORDINATOR": "127.0.0.1:1"}
    run = project.scons("erase", BOARD, "PORT=labgrid:desk", status=2, **nowhere)
    assert "error: no labgrid coordinator answers at 127.0.0.1:1\n" in run.output
