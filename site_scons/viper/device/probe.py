# SPDX-License-Identifier: MIT
"""The process that asks one chip what it is: `python -m viper.device.probe URL CALLED`.

esptool, under the GPL, does the asking; so this is a process of its own, which nothing imports. It
prints {"chip", "mac", "flash_size", "project", "version", "elf_sha256"}, the latter three null
without an application, or {"error": what}, and leaves the chip started anew.
"""

from __future__ import annotations

import json
import os
import sys

import esptool.cmds as esptool
from esptool.util import FatalError, flash_size_bytes

from viper.base.errors import UserError
from viper.image import boot_order
from viper.ports import port, serial_line
from viper.ports.native_usb import NativeUsb

_CONNECT_ATTEMPTS = 2  # what does not answer by then is no board, or needs its BOOT button


def probe(url: str, called: str) -> dict[str, object]:
    """Ask a chip, and start its application again.

    Raises:
        UserError: the port is held, or cannot be opened.
        FatalError, OSError: no chip answers.
    """
    with port.lock(url, called=called, pid=os.getppid()):
        line = NativeUsb(url, called).open_for_download()
        try:
            esp = esptool.detect_chip(line, connect_attempts=_CONNECT_ATTEMPTS)
            chip = esp.CHIP_NAME
            mac = bytes(esp.read_mac("BASE_MAC")).hex()
            esp = esptool.run_stub(esp)
            esptool.attach_flash(esp)
            detected = esptool.detect_flash_size(esp)
            size = flash_size_bytes(detected) if detected else None
            app = boot_order.installed(esp.read_flash, size) if size else None
            esp.hard_reset()
        finally:
            line.close()
    return {
        "chip": chip,
        "mac": mac,
        "flash_size": size,
        "project": app.project if app else None,
        "version": app.version if app else None,
        "elf_sha256": app.elf_sha256.hex() if app else None,
    }


def main() -> int:
    """Ask as argv says; see the module for what is printed."""
    # Only our own words go to standard output.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        try:
            answer = probe(*sys.argv[1:])
        except UserError as error:
            answer = {"error": error.what}
        except (FatalError, OSError) as error:
            answer = {"error": serial_line.first_line(error)}
        print(json.dumps(answer), file=channel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
