# SPDX-License-Identifier: MIT
"""The process in which viper.update.flasher works: `python -m viper.update.worker REQUEST`.

esptool, under the GPL, drives the device; so that module runs in a process of its own, which
`viper.flash.jobs` speaks JSON with. One JSON object to a line:
{"total": bytes, "doing": tag}, {"done": bytes}, {"tag": tag, "line": text},
{"error": what, "next": command}, {"result": ...}. The exit status is 0, 2 after an error that the
user can mend, 130 after SIGINT, and 1 with a traceback for a bug.

`python -m viper.update.worker --stay PID` takes requests from a socket, its standard input, one to
a connection, and holds the port in between; it begins an answer with {"pid": its own}. Others are
told that the process PID has the port, and get it if they ask (viper.ports.port.YIELD). SIGINT
ends it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from types import FrameType
from typing import TextIO

from viper.base import parent_process
from viper.base.errors import UserError
from viper.device.held_port import HeldPort
from viper.flash.jobs import decode_request
from viper.ports import port
from viper.update.flasher import Flasher

_LOOK_S = 0.25  # between two looks at what the device prints and nobody reads


def work_once(request: str) -> int:
    """Do one request; the exit status."""
    # Only our own messages go to standard output; what libraries print is for a bug's report.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel, HeldPort(os.getppid()) as held:
        os.dup2(2, 1)
        return 0 if _answer(request, channel, held) else 2


def stay(listener: socket.socket, pid: int) -> None:
    """Do requests, one after the other.

    Args:
        listener: where who has a request connects.
        pid: the process that others are told to have the port.

    Raises:
        KeyboardInterrupt: SIGINT.
    """
    asked, asking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(port.YIELD, lambda *_: None)
    signal.set_wakeup_fd(asking)
    with HeldPort(pid, yields=True) as held:
        while True:
            ready = select.select([listener, asked], [], [], _LOOK_S)[0]
            if asked in ready:
                os.read(asked, 1024)
                held.let_go()
            elif listener in ready:
                _serve(listener, held)
            else:
                with suppress(OSError):
                    held.forget_printed()


def _serve(listener: socket.socket, held: HeldPort) -> None:
    connection, _ = listener.accept()
    channel = connection.makefile("rw")
    try:
        print(json.dumps({"pid": os.getpid()}), file=channel, flush=True)
        request = channel.readline()
        if request:
            _answer(request, channel, held)
    except ConnectionError:
        pass  # who asked has gone, and nobody is left to tell
    finally:
        with suppress(ConnectionError):  # which must not take the place of an interrupt
            channel.close()
        connection.close()


def _answer(request: str, channel: TextIO, held: HeldPort) -> bool:
    """Do a request, and tell how it ended; whether it could be done."""
    try:
        result = Flasher(decode_request(request), channel, held).run()
    except UserError as error:
        print(json.dumps({"error": error.what, "next": error.next_step}), file=channel)
        return False
    print(json.dumps({"result": dataclasses.asdict(result)}), file=channel)
    return True


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    """SIGINT: once. What follows, the reset of the device, is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Do what the request in argv says, or stay; see the module for what is returned."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        parent_process.end_with_it(signal.SIGINT)
        if sys.argv[1] != "--stay":
            return work_once(sys.argv[1])
        with socket.socket(fileno=os.dup(0)) as listener:
            stay(listener, int(sys.argv[2]))
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())
