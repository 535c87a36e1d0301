"""What this machine lacks, and what mends it.

Adds to the environment:
    env.Doctor()  an action that prints a line for each thing, as JSON with --json
"""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import SCons.Script
from viper.base import console
from viper.base.errors import UserError

_BOARDS = Path(".viper/boards")


def exists(env):
    return True


def generate(env):
    SCons.Script.AddOption("--json", action="store_true", help="doctor: print JSON")
    env.AddMethod(lambda env: env.Question(_examine), "Doctor")


def _examine(env):
    from viper.dev import doctor

    findings = list(_findings(env, doctor))
    if SCons.Script.GetOption("json"):
        console.note(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            console.note(f"{finding.state:<8} {finding.subject:<9} {finding.told}")
            if finding.mend:
                console.note(f"{'':<18} {finding.mend}")
    missing = [finding.subject for finding in findings if finding.state == doctor.MISSING]
    if missing:
        raise UserError(f"missing: {', '.join(missing)}", "the commands above mend it")


def _findings(env, doctor):
    from viper.ports import port, usb_serial
    from viper.source import esp_idf, pins
    from viper.virtual_board import control

    yield doctor.python()
    yield doctor.packages(Path("requirements/base.txt"))
    yield from doctor.programs()
    yield doctor.disk(shutil.disk_usage(Path.cwd()).free)
    wanted = pins.load(Path("nix/pins.json")).esp_idf.version
    is_real = env["BOARD_TOML"].firmware == "esp32"
    yield doctor.idf(env.get("IDF"), esp_idf.OWN.absolute(), wanted, is_needed=is_real)
    yield from doctor.serial_ports(usb_serial.connected())
    yield doctor.windows()
    boards = [control.running(path.parent) for path in sorted(_BOARDS.glob("*/board.json"))]
    ours = {board.http_port: board.name for board in boards if board}
    yield doctor.page_port(env.get("HTTP_PORT") or env["DEFAULT_HTTP_PORT"] or 8080, ours)
    named = [port.parse(each) for each in port.split(env["PORT"]) if each]
    places = [each.place for each in named if each.place]
    if places or "LG_COORDINATOR" in os.environ:
        yield from map(doctor.lab, places or [None])
    if is_real:
        for each in named:
            if not each.place:
                yield doctor.device(each)
