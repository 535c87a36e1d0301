"""Serial ports: which boards are connected, and what a person does at the console of one.

Adds to the environment, each an action for a goal:
    env.Ports()                 list what is connected
    env.Monitor(), env.Repl()   show the console; type to MicroPython
    env.Erase()                 erase the whole flash, after a question
"""

import os
import subprocess
import sys
from pathlib import Path

from viper.base import console, interrupt, process
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.flash import device_stamp
from viper.ports import port

_BOARDS = Path(".viper/boards")


def exists(env):
    return True


def generate(env):
    for name, function in {
        "Ports": _ports,
        "Monitor": _monitor,
        "Repl": _repl,
        "Erase": _erase,
    }.items():
        env.AddMethod(_method(function), name)


def _method(function):
    return lambda env: env.Deed(function)


def _ports(env):
    from viper.dev import port_list

    found = port_list.everything(_BOARDS)
    known = port_list.builds(Path("build"))
    if not found:
        console.note("nothing is connected; ./scons flash makes a virtual board")
        return
    header = ("PORT", "MAC", "CHIP", "FLASH", "RUNS", "FROM", "")
    rows = [
        (
            each.port,
            console.human_mac(Mac(each.mac)) if each.mac else "",
            each.chip,
            f"{each.flash_size >> 20} MB" if each.flash_size else "",
            f"{each.app.project} {each.app.version}" if each.app else "",
            port_list.origin(each, known, device_stamp.FOLDER),
            each.state,
        )
        for each in found
    ]
    for line in port_list.table([header, *rows]):
        console.note(line)


def _monitor(env):
    _console(env)


def _repl(env):
    _console(env, "--keys")


def _console(env, *options):
    """Give the terminal to viper.device.monitor, and let others build meanwhile."""
    url = env.SerialUrl()
    env["BUILD_LOCK"].release()
    env["TELL"]()  # the last word is the device's
    command = ["setpriv", "--pdeathsig", "INT", sys.executable, "-m", "viper.device.monitor"]
    command += ["--url", url, "--called", f"PORT={env['PORT']}", "--build", env["BUILD_DIR"]]
    child = subprocess.Popen(
        [*command, *options],
        env=process.module_environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    status = interrupt.wait(child)
    said = child.stderr.read().decode(errors="replace")
    if status == 2:
        raise process.user_error(said)
    if status != 0:
        raise RuntimeError(f"viper.device.monitor failed:\n{said}")


def _erase(env):
    from viper.base import answer

    if port.parse(env["PORT"] or "virtual").board:
        env.RunningBoard()
    url, called = env.SerialUrl(), f"PORT={env['PORT']}"
    question = f"Erase the whole flash of {called}, files, settings and all? [yes/no]"
    if answer.ask(question).strip().lower() != "yes":
        raise UserError("nothing was erased", "answer yes to erase it")
    with port.lock(url, called=called, pid=os.getpid()):
        try:
            process.run(
                [sys.executable, "-m", "viper.device.esptool_command", url, called, "erase-flash"],
                environment=process.module_environment(),
            )
        except process.ToolFailed as failure:
            raise UserError(
                f"{called} was not erased: {failure.last_line()}", "./scons ports"
            ) from None
    env["RUN"].wrote(0)
    console.step("ERASE", f"{called}  its whole flash; {port.typed('flash', env['PORT'])}")
