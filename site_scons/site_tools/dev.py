"""The incremental loop.

Adds to the environment:
    env.Dev()  an action that brings to the device what is saved, until Ctrl-C
"""

import json

import SCons.Script
from viper.base import console, program
from viper.base.errors import UserError
from viper.ports import labgrid, port
from viper.sync import theirs

_GRACE_S = 5.0  # a build under way is interrupted, and leaves the device in order


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: env.Deed(_dev), "Dev")


def _dev(env):
    by_network = env.ByNetwork()
    if not by_network:
        env.SerialUrl()  # a virtual board is there before its page is
    host = env.get("HOST")
    if host is None and port.parse(env["PORT"]).board is not None:
        host = env.Host()
    # A loop that asks is none: what was changed on the device stays there, and is told.
    options = {"THEIRS": theirs.KEEP, **SCons.Script.ARGUMENTS}
    given = [f"{name}={value}" for name, value in options.items()]
    env["BUILD_LOCK"].release()
    env["TELL"]()  # the runs of the loop have the word
    request = json.dumps({"device": host, "by_network": by_network, "arguments": given})
    try:
        status = program.run(["-m", "viper.dev.loop", request], _GRACE_S, labgrid.handed_on())
    except KeyboardInterrupt:
        console.note("")
        return
    if status != 0:
        raise UserError(f"the loop ended with status {status}", "see above")
