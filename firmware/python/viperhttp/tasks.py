# SPDX-License-Identifier: MIT
"""Lets tasks go on: in the asyncio loop that runs, or without one, from MicroPython's scheduler."""

import asyncio
from asyncio import core

import _viperhttp

IO_PERIOD_MS = 10  # how often sockets are looked at while no loop runs and tasks wait for them

_run_until_complete = core.run_until_complete
_new_event_loop = core.new_event_loop
_loops = 0 if core.cur_task is None else 1  # loops that run now
_signal = None  # ends the sleep of a loop
_listened = None  # the task queue that has the task which waits for the signal


def _counted(main_task=None):
    """asyncio's run_until_complete; asyncio itself does not tell whether a loop runs."""
    global _loops
    _loops += 1
    _viperhttp.loop_runs(True)
    try:
        _listen_in_loop()
        return _run_until_complete(main_task)
    finally:
        _loops -= 1
        _viperhttp.loop_runs(_loops > 0)


def _watch():
    """Has the task queue tell the server what is put into it, without a loop to see it."""
    tasks = core._task_queue
    core._task_queue = core.TaskQueue(_viperhttp.pushed)
    while task := tasks.peek():
        tasks.pop()
        thrown = task.data  # which push forgets
        core._task_queue.push(task, task.ph_key)
        task.data = thrown


def _watched_event_loop():
    loop = _new_event_loop()
    _watch()
    return loop


core.run_until_complete = _counted
core.new_event_loop = asyncio.new_event_loop = _watched_event_loop
_viperhttp.loop_runs(_loops > 0)
_watch()


async def _listen():
    while True:
        yield core._io_queue.queue_read(_signal)
        _signal.clear()


def _listen_in_loop():
    global _signal, _listened
    if _signal is None:
        _signal = _viperhttp.Signal()
    if _listened is not core._task_queue:  # another since new_event_loop()
        _listened = core._task_queue
        core.create_task(_listen())


async def _nothing():
    pass


def turn():
    """Has every task that is due go on. Returns the milliseconds until the next is, or None."""
    if _loops:
        _listen_in_loop()
        _signal.set()
        return None
    _run_until_complete(core.create_task(_nothing()))
    task = core._task_queue.peek()
    wait = None if task is None else max(0, core.ticks_diff(task.ph_key, core.ticks()))
    if len(core._io_queue.map) > (_signal is not None):
        wait = IO_PERIOD_MS if wait is None else min(wait, IO_PERIOD_MS)
    return wait
