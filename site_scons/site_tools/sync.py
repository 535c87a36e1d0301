"""The files of a device: brought up to date, saved, put back.

Adds to the environment, each an action for a goal:
    env.Sync(files)     send the files that differ, to PORT or to HOST
    env.Backup(image)   save all data of a device here
    env.Restore(image)  put a backup's data on a device, FROM=folder
and for the actions of other tools:
    env.ByNetwork()     whether the device is meant at HOST, and not at PORT
"""

import json
from functools import partial
from pathlib import Path

import SCons.Script
from viper.base import console
from viper.base.console import human_mac
from viper.flash import device_stamp


def exists(env):
    return True


def generate(env):
    env.AddMethod(_by_network, "ByNetwork")
    for function in (_sync, _backup, _restore):
        name = function.__name__.removeprefix("_").title()
        env.AddMethod(_method(function), name)


def _method(function):
    return lambda env, *nodes: env.Deed(function, *nodes, first=_require_device)


def _require_device(env):
    if not env.ByNetwork():
        env.RequirePort()


def _sync(env, index):
    by_network = env.ByNetwork()
    if env.IsFleet() and not by_network:
        env.Fleet("sync", lambda each: each.SumUpWork(index, each.WorkOnDevice(index, "sync")))
        return
    result = _over_network(env, index) if by_network else env.WorkOnDevice(index, "sync")
    env.ShowWork(index, result)
    if not result.changed:
        console.step("SYNC", f"{human_mac(result.mac)}  nothing to send: the device holds it")


def _by_network(env):
    # With both, as `dev` has them, HOST says where the page is, and PORT where the device is.
    return "HOST" in env and "PORT" not in SCons.Script.ARGUMENTS


def _over_network(env, index):
    from viper.sync import over_http, theirs, transfer

    host = env["HOST"]
    record = json.loads(index.with_name("firmware.json").read_text(encoding="utf-8"))
    choices = transfer.Choices(
        theirs.parse(env.get("THEIRS", "")), env["SYNC_DELETE"], env.get("SPACE", "")
    )
    request = over_http.SyncRequest(
        host, index, Path(), device_stamp.FOLDER, record["build"], choices
    )
    return over_http.sync(request, partial(console.progress, f"SYNC     {host}"))


def _backup(env, index):
    result = env.WorkOnDevice(index, "backup")
    console.step("BACKUP", result.backup)
    env["RUN"].wrote(0)


def _restore(env, index):
    source = Path(env["FROM"]).expanduser() if "FROM" in env else None
    env.ShowWork(index, env.WorkOnDevice(index, "restore", source=source))
