# SPDX-License-Identifier: MIT
"""esptool as it comes, on any of our ports.

`python -m viper.device.esptool_command URL CALLED ...`. esptool is under the GPL: this is a process
of its own, which nothing imports.
"""

from __future__ import annotations

import sys

import esptool

from viper.base.errors import exits
from viper.ports import serial_urls
from viper.ports.native_usb import NativeUsb


@exits
def main() -> None:
    """Run a command of esptool; exit statuses are esptool's, or 2."""
    url, called, *command = sys.argv[1:]
    serial_urls.register()
    usb = NativeUsb(url, called)
    usb.open_for_download().close()
    sys.argv = ["esptool", "--port", usb.url, *command]
    esptool._main()  # its entry point, which turns errors into exit statuses


if __name__ == "__main__":
    main()
