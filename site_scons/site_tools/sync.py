"""The files of a device: brought up to date, saved, put back.

Adds to the environment, each an action for a goal:
    env.Sync(image)     send the files that differ
    env.Backup(image)   save all data of a device here
    env.Restore(image)  put a backup's data on a device, FROM=folder
"""

from pathlib import Path

from viper import console
from viper.console import human_mac


def exists(env):
    return True


def generate(env):
    for function in (_sync, _backup, _restore):
        name = function.__name__.removeprefix("_").title()
        env.AddMethod(_method(function), name)


def _method(function):
    return lambda env, *nodes: env.Deed(function, *nodes)


def _sync(env, index):
    if env.IsFleet():
        env.Fleet("sync", lambda each: each.SumUpWork(index, each.WorkOnDevice(index, "sync")))
        return
    result = env.WorkOnDevice(index, "sync")
    env.ShowWork(index, result)
    if not result.changed:
        console.step("SYNC", f"{human_mac(result.mac)}  nothing to send: the device holds it")


def _backup(env, index):
    result = env.WorkOnDevice(index, "backup")
    console.step("BACKUP", result.backup)
    env["RUN"].wrote(0)


def _restore(env, index):
    source = Path(env["FROM"]).expanduser() if "FROM" in env else None
    env.ShowWork(index, env.WorkOnDevice(index, "restore", source=source))
