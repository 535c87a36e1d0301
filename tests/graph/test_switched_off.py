# SPDX-License-Identifier: MIT
"""Each setting that switches something off is built, serves, and is switched back."""

from __future__ import annotations

import re
from functools import partial

import switches
from project import ROOT, Project
from switches import SWITCHES, Switch
from viper.source import module_settings

BOARD = "boards/VIRTUAL_N16R8/board.toml"
PORT = "PORT=virtual:switched"


def test_every_setting_that_is_on_or_off_is_there() -> None:
    listed = module_settings.load(ROOT / module_settings.LIST)
    either = {setting.name for setting in listed if isinstance(setting.default, bool)}
    assert either <= {switch.name for switch in SWITCHES}


@switches.each(in_suite="VHTTP_GZIP_ENABLED")
def test_it_serves_and_is_switched_back(project: Project, switch: Switch) -> None:
    before, board = project.digests(), project.path(BOARD)
    text = board.read_text()
    board.write_text(switch.turned(text))
    try:
        flashed = project.scons("flash", PORT).output
        address = re.search(r"http://(127\.0\.0\.1:\d+)", flashed)
        assert address, flashed
        ask = partial(switches.asked, address[1])
        assert ask("/", None).status == 200  # a page
        assert ask("/status", None).status == 200  # one of a template
        assert switch.is_off(ask)
    finally:
        project.scons("board-stop", PORT)
    board.write_text(text)
    project.scons()
    assert project.digests() == before
