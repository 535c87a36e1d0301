# SPDX-License-Identifier: MIT
"""Several boards at once, and one of them fails."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from project import Project
from viper.virtual_board import control


@contextmanager
def boards(project: Project, names: list[str]) -> Iterator[str]:
    """The PORT of so many boards, which are stopped afterwards."""
    try:
        yield "PORT=" + ",".join(f"virtual:{name}" for name in names)
    finally:
        for name in names:
            control.stop(project.path(f".viper/boards/{name}"))


def serves(project: Project, name: str) -> bool:
    board = control.running(project.path(f".viper/boards/{name}"))
    assert board is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{board.http_port}/", timeout=10) as page:
            return int(page.status) == 200
    except OSError:
        return False


def flash_with_one_unplugged(project: Project, names: list[str], unplugged: str) -> None:
    with boards(project, names) as port:
        folder = project.path(f".viper/boards/{unplugged}")
        control.start(folder, unplugged)
        control.set_faults(folder, power_after_bytes=300_000)

        run = project.scons("flash", port, status=2)
        others = [name for name in names if name != unplugged]
        for name in others:
            assert re.search(rf"^FLASH    virtual:{name}  .* sent, ", run.output, re.MULTILINE)
        assert re.search(rf"^FAILED   virtual:{unplugged}  ", run.output, re.MULTILINE)
        assert (
            f"error: 1 of {len(names)} devices failed: virtual:{unplugged}\n"
            f"  ./scons flash PORT=virtual:{unplugged}\n"
        ) in run.output
        assert [serves(project, name) for name in names] == [n != unplugged for n in names]

        control.set_faults(folder)
        control.power_on(folder)
        again = project.scons("flash", port)
        for name in others:
            assert f"FLASH    virtual:{name}  nothing to write" in again.output
        assert serves(project, unplugged)


def test_one_that_fails_does_not_stop_the_others(project: Project) -> None:
    flash_with_one_unplugged(project, ["a", "b", "c"], "b")


@pytest.mark.long
def test_seven_of_eight_finish(project: Project) -> None:
    flash_with_one_unplugged(project, [f"board{n}" for n in range(8)], "board3")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["flash", "PORT=virtual:a,virtual:a"], "names 'virtual:a' twice"),
        (["flash", "PORT=virtual:a,/dev/ttyUSB0"], "names virtual boards and others"),
        (["flash", "PORT=virtual:a,labgrid:desk"], "names virtual boards and others"),
        (["get", "PORT=virtual:a,virtual:b"], "names several devices, and this takes one"),
        (["flash", "PORT=virtual:a,virtual:b", "HTTP_PORT=8123"], "HTTP_PORT=8123 is for one"),
    ],
)
def test_ports_that_make_no_fleet(project: Project, arguments: list[str], says: str) -> None:
    assert says in project.scons(*arguments, status=2).output
    assert not project.path(".viper/boards").exists()
