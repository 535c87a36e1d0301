# SPDX-License-Identifier: MIT
"""A device compresses its own files: `python -m viper.update.gzip_device REQUEST`.

It runs `viperhttp.gzip_static` there, over the raw REPL, in a process of its own that answers an
interrupt by starting the device's application again. It prints what the device has answered.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from dataclasses import dataclass, fields

from viper.base import process
from viper.base.errors import UserError, exits
from viper.device.repl import DeviceRepl, text
from viper.ports import port, serial_urls
from viper.ports.reset_line import start_application
from viper.sync.over_repl import ReplTransport

_WORK_S = 600.0  # the longest silence while the device compresses: a large file takes its time


@dataclass(frozen=True)
class Request:
    """What is to be compressed, and where.

    Attributes:
        port: as the user gave it, for messages.
        url: what pyserial opens.
        folder: on the device; with all below it.
        min_size: files of fewer bytes are left alone.
        level: 1 fastest … 9 smallest.
    """

    port: str
    url: str
    folder: str
    min_size: int
    level: int


@dataclass(frozen=True)
class Outcome:
    """What gzip_static has counted: files, and bytes of those that it made."""

    made: int
    fresh: int
    skipped: int
    removed: int
    bytes_in: int
    bytes_out: int


def compress(request: Request) -> Outcome:
    """Have a device make its `.gz` siblings.

    Raises:
        UserError: the port is busy or silent, the device's file system or its memory is full.
        KeyboardInterrupt: Ctrl-C; the device's application has been started again.
    """
    output = process.run_module("viper.update.gzip_device", json.dumps(dataclasses.asdict(request)))
    return Outcome(**json.loads(output))


def _compress(request: Request) -> Outcome:
    """What `compress` does, in the process that it is done in."""
    again = port.typed("gzip-device", request.port)
    call = b"compress(%s,%d,%d)" % (text(request.folder), request.min_size, request.level)
    with (
        port.lock(request.url, called=f"PORT={request.port}", pid=os.getppid()),
        DeviceRepl(request.url, again) as repl,
    ):
        restart = True
        try:
            repl.enter()
            repl.serial.timeout = _WORK_S
            answers = ReplTransport(repl).call(call)
            restart = repl.interrupted
        finally:
            if restart:
                start_application(repl.serial)
            else:
                repl.leave()
    try:
        (answer,) = answers
        return Outcome(**{field.name: answer.number(field.name) for field in fields(Outcome)})
    except ValueError:
        raise UserError(f"PORT={request.port}: the device's answer cannot be read", again) from None


@exits
def main() -> None:
    """Do what the request in argv says."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    serial_urls.register()
    outcome = _compress(Request(**json.loads(sys.argv[1])))
    print(json.dumps(dataclasses.asdict(outcome)))


if __name__ == "__main__":
    main()
