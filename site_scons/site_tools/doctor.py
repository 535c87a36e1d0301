# SPDX-License-Identifier: MIT
"""What this machine lacks, and what mends it.

Adds to the environment:
    env.Doctor()  a task that prints a line for each thing, as JSON with --json
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import device, scons
from toolkit.options import default_http_port
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import question
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError

if TYPE_CHECKING:
    from viper.dev.doctor import Finding


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Doctor", lambda env: question(_examine))
    scons.add_switch("--json", help="doctor: print JSON")


def _examine(run: Run) -> None:
    from viper.dev import doctor

    findings = list(_findings(run))
    if scons.option("json"):
        console.note(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            console.note(f"{finding.state:<8} {finding.subject:<9} {finding.told}")
            if finding.mend:
                console.note(f"{'':<18} {finding.mend}")
    missing = [finding.subject for finding in findings if finding.state == doctor.MISSING]
    if missing:
        raise UserError(f"missing: {', '.join(missing)}", "the commands above mend it")


def _findings(run: Run) -> Iterator[Finding]:
    from viper.dev import doctor
    from viper.ports import port, usb_serial
    from viper.source import checkout, esp_idf, pins
    from viper.virtual_board import control

    yield doctor.python()
    yield doctor.packages(checkout.FOLDER / "requirements/base.txt")
    yield from doctor.programs()
    yield doctor.disk(shutil.disk_usage(Path.cwd()).free)
    wanted = pins.load(checkout.PINS).esp_idf.version
    is_real = run.board.firmware == "esp32"
    yield doctor.idf(run.options.IDF, esp_idf.OWN.absolute(), wanted, is_needed=is_real)
    named = [port.parse(each) for each in port.split(run.options.PORT) if each]
    installed = esp_idf.find(run.options.IDF, os.environ, esp_idf.OWN.absolute(), wanted)
    is_emulated = any(each.maker == port.QEMU for each in named)
    yield doctor.emulator(run.options.QEMU, installed, run.board.chip, is_needed=is_emulated)
    yield from doctor.serial_ports(usb_serial.connected())
    yield doctor.windows()
    boards = filter(None, map(control.running, device.boards()))
    ours = {board.http_port: board.called for board in boards}
    wanted_port = run.options.HTTP_PORT or default_http_port(run.options) or 8080
    yield doctor.page_port(wanted_port, ours)
    places: list[str | None] = [each.place for each in named if each.place]
    if places or "LG_COORDINATOR" in os.environ:
        yield from map(doctor.lab, places or [None])
    if is_real:
        for each in named:
            if not (each.place or each.board):
                yield doctor.device(each)
