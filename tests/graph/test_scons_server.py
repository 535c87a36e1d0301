# SPDX-License-Identifier: MIT
"""Runs of SCons that begin with everything loaded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest
from project import Project


class Server:
    """A server in a project, whose runs print into a file."""

    def __init__(self, project: Project, channel: TextIO) -> None:
        self._project = project
        self._channel = channel

    def run(self, *arguments: str) -> tuple[int, str]:
        """A run's status, and what all runs have printed."""
        self._channel.write(json.dumps(["-Q", *arguments]) + "\n")
        self._channel.flush()
        assert "pid" in json.loads(self._channel.readline())
        status = json.loads(self._channel.readline())["status"]
        return status, self._project.path("printed").read_text()


@pytest.fixture
def server(project: Project) -> Iterator[Server]:
    ours, its = socket.socketpair()
    with its, project.path("printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "scons_server"],
            cwd=project.folder,
            env=os.environ | {"PYTHONPATH": str(project.path("site_scons"))},
            stdin=its,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    with process, ours, ours.makefile("rw") as channel:
        yield Server(project, channel)
        channel.close()
        ours.close()
        assert process.wait(60) == 0


def test_a_run_is_as_one_that_is_typed(project: Project, server: Server) -> None:
    typed = project.scons("assets")
    assert server.run("assets") == (0, typed.output)
    project.edit("assets/www/index.html", "<title>", "<title>Edited ")
    status, printed = server.run("assets")
    assert status == 0
    assert "GZIP     index.html" in printed
    assert project.scons("assets").output == typed.output
    status, printed = server.run("asets")
    assert status == 2
    assert "error: no target 'asets'; did you mean 'assets'?" in printed


def test_a_step_that_was_edited_since_is_run_as_it_is_now(project: Project, server: Server) -> None:
    assert server.run("assets")[0] == 0
    project.edit("site_scons/site_tools/web_assets.py", "files to ship", "files that ship")
    status, printed = server.run("assets")
    assert status == 0
    assert "files that ship" in printed
    assert "ASSETS" not in project.scons("assets").output
