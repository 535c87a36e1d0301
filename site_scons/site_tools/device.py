"""What touches a device: each goal asks the device itself, every time, and nothing is cached.

Adds to the environment, each an action for a goal:
    env.EsptoolCommand(image)              print how plain esptool would write it
    env.Flash(image), env.Plan(image)      write what differs; only say what that would be
    env.Get()                              fetch the page from the virtual board
    env.BoardLog(), env.BoardReset(), env.BoardStop()
and for the actions of other tools:
    env.SerialUrl()                        what pyserial opens for PORT; a virtual board is started
    env.RunningBoard()                     the virtual board that PORT names, which must be running
    env.RequirePort()                      refuse a PORT that cannot be there, before a build for it
    env.WorkOnDevice(image, goal, **more)  do a goal of viper.flash.jobs: its FlashResult
    env.ShowWork(image, result)            what it changed, a line to each, and in the summary
    env.SumUpWork(image, result)           what it changed, in the summary alone
"""

import json
from pathlib import Path

from viper.base import console
from viper.base.console import human_mac, human_size
from viper.base.errors import UserError
from viper.ports import port

_ROOT = Path()
_BOARDS = Path(".viper/boards")
_MANY = 20  # files that are named one by one


def exists(env):
    return True


def generate(env):
    for name, function in {
        "EsptoolCommand": _esptool_command,
        "Get": _get,
        "BoardLog": _board_log,
        "BoardReset": _board_reset,
        "BoardStop": _board_stop,
    }.items():
        env.AddMethod(_method(function), name)
    for name, function in {"Flash": _flash, "Plan": _plan}.items():
        env.AddMethod(_method(function, first=_require_port), name)
    env.AddMethod(_require_port, "RequirePort")
    env.AddMethod(_work, "WorkOnDevice")
    env.AddMethod(_show, "ShowWork")
    env.AddMethod(_sum_up, "SumUpWork")
    env.AddMethod(_serial_url, "SerialUrl")
    env.AddMethod(_running_board, "RunningBoard")


def _method(function, first=None):
    return lambda env, *nodes: env.Deed(function, *nodes, first=first)


def _esptool_command(env, index):
    from viper.image.flash_image import esptool_command

    text = port.split(env["PORT"])[0]
    named = port.parse(text) if text else None
    made = _BOARDS / str(named and named.board) / "board.json"
    if made.is_file():
        number = json.loads(made.read_text(encoding="utf-8"))["serial_port"]
        stock_port = f"rfc2217://127.0.0.1:{number}?ign_set_control"
    else:
        is_known_to_others = named and not (named.board or named.place)
        stock_port = text if is_known_to_others else "PORT"
    console.note(esptool_command(index, stock_port, env["BAUD"]))


def _flash(env, index):
    if env.IsFleet():
        env.Fleet("flash", lambda member: _sum_up(member, index, _write(member, index)))
        return
    result = _write(env, index)
    env.ShowWork(index, result)
    if not result.changed:
        console.step("FLASH", f"{human_mac(result.mac)}  nothing to write: the chip holds it")


def _write(env, index):
    return env.WorkOnDevice(index, "flash", repartition=env.get("REPARTITION", ""))


def _show(env, index, result):
    """Show and count what was done."""
    for part in result.parts:
        if part.action == "written":
            # Written only where it said otherwise: an update over the network had set it.
            boots = ": factory boots" if part.name == "otadata" else ""
            console.step("FLASH", f"{part.name}  {_sectors(part)}{boots}")
    for path in result.files_sent:
        console.step("SEND", path)
    for old, new in result.files_moved:
        console.step("MOVE", f"{old} → {new}")
    for path in result.files_deleted:
        console.step("DELETE", path)
    _show_theirs("KEEP", result)
    if result.put_back:
        console.step("RESTORE", "vfs  as it was before a sync that was cut off")
    if result.carried:
        console.step("KEEP", f"{result.carried} files of the device, verified")
    _sum_up(env, index, result)


def _show_theirs(tag, result):
    """The files that stay because they are the user's, where that may be a surprise."""
    for path in result.kept:
        console.step(tag, f"{path}  stays as the device has it")
    for path in result.others[:_MANY]:
        console.step(tag, f"{path}  is the device's own, and stays")
    if len(result.others) > _MANY:
        console.step(tag, f"{len(result.others) - _MANY} more of the device's own stay")


def _sum_up(env, index, result):
    """Count what was done, and see that a virtual board serves its page."""
    summary = env["RUN"]
    if result.changed:
        summary.ran()
    else:
        summary.skipped()
    contents = json.loads(index.read_text(encoding="utf-8"))["files"]
    sent = sum(contents[path]["size"] for path in result.files_sent)
    summary.wrote(result.bytes_written + sent)
    if result.host:
        summary.url = f"http://{result.host}/"
    elif port.parse(env["PORT"]).board:
        from viper.device import http_page

        board = _running_board(env)
        summary.url = http_page.wait_until_served(board.http_port, _typed(env, "board-log"))
    return result


def _plan(env, index):
    result = env.WorkOnDevice(index, "plan")
    for part in result.parts:
        figure = {
            "same": "the same",
            "written": f"{_sectors(part)} to write",
            "left alone": "only its files that differ are written",
        }[part.action]
        console.step("PLAN", f"{part.name}  {figure}")
    for name, what, text in result.moving:
        console.step("PLAN", f"{name}  would be {what}: {text}")
    for path in result.files_sent:
        console.step("PLAN", f"{path}  to send")
    for old, new in result.files_moved:
        console.step("PLAN", f"{old} → {new}  to move")
    for path in result.files_deleted:
        console.step("PLAN", f"{path}  to delete")
    for path, why in result.conflicts:
        console.step(
            "PLAN", f"{path}  {why}: THEIRS=keep leaves it, THEIRS=overwrite:{path} loses it"
        )
    _show_theirs("PLAN", result)
    env["RUN"].wrote(0)


def _work(env, index, goal, **more):
    from viper.flash import device_stamp
    from viper.flash.jobs import FlashRequest, flash
    from viper.update import backup

    record = index.with_name("firmware.json")
    return flash(
        FlashRequest(
            port=env["PORT"],
            url=_serial_url(env),
            baud=env["BAUD"],
            image=index,
            root=_ROOT,
            stamps=device_stamp.FOLDER,
            backups=backup.default_root(),
            build=json.loads(record.read_text(encoding="utf-8"))["build"],
            goal=goal,
            delete_extras=env["SYNC_DELETE"],
            theirs=env.get("THEIRS", ""),
            space=env.get("SPACE", ""),
            **more,
        )
    )


def _require_port(env):
    if not env["PORT"]:
        raise UserError(f"BOARD={env['BOARD']} needs to know its port", "give PORT=/dev/ttyUSB0")
    if not env.IsFleet():  # of several devices, one that is not there does not stop the others
        port.require(port.parse(env["PORT"]))


def _serial_url(env):
    """What pyserial opens, of a device that is there; a virtual board is started."""
    _require_port(env)
    wanted = port.parse(env["PORT"])
    if wanted.board is None:
        return port.find(wanted)
    return port.viper_url(_started_board(env, wanted.board).port_url)


def _started_board(env, name):
    from viper.virtual_board import control

    described = env["BOARD_TOML"]
    return control.start(
        _BOARDS / name,
        name,
        env.get("HTTP_PORT", env["DEFAULT_HTTP_PORT"]),
        chip=described.chip,
        flash_size=described.flash_size,
        psram_size=described.psram_size,
    )


def _board_name(env):
    """The virtual board that PORT names."""
    name = port.parse(env["PORT"] or "virtual").board
    if name is None:
        raise UserError(f"PORT={env['PORT']} is no virtual board", "leave PORT out")
    return name


def _running_board(env):
    """The virtual board that PORT names, which must be running."""
    from viper.virtual_board import control

    name = _board_name(env)
    board = control.running(_BOARDS / name)
    if board is None:
        raise UserError(f"virtual board '{name}' is not running", _typed(env, "flash"))
    return board


def _get(env):
    from viper.device import http_page

    board = _running_board(env)
    console.note(http_page.get(board.http_port, _typed(env, "board-log")))
    env["RUN"].url = http_page.url(board.http_port)


def _board_log(env):
    name = _board_name(env)
    from viper.virtual_board.state import CONSOLE_LOG

    log = _BOARDS / name / CONSOLE_LOG
    if not log.is_file():
        raise UserError(f"virtual board '{name}' has never been started", _typed(env, "flash"))
    console.note(log.read_text(encoding="utf-8", errors="replace").rstrip())


def _board_reset(env):
    from viper.virtual_board import control

    board = _running_board(env)
    control.reset(_BOARDS / board.name)
    console.step("RESET", f"virtual board '{board.name}'")


def _board_stop(env):
    from viper.virtual_board import control

    name = _board_name(env)
    was_running = control.stop(_BOARDS / name)
    env["RUN"].wrote(0)
    console.step("STOP", f"virtual board '{name}'  {'stopped' if was_running else 'not running'}")


def _typed(env, goal):
    """How the user types a goal for the same port."""
    return port.typed(goal, env["PORT"])


def _sectors(part):
    plural = "" if part.sectors == 1 else "s"
    return f"{part.sectors} sector{plural}, {human_size(part.size)}"
