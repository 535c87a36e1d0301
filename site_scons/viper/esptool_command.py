"""esptool as it comes, able to open `viper://` ports: `python -m viper.esptool_command ...`.

esptool is under the GPL: this is a process of its own, which nothing imports.
"""

from __future__ import annotations

import esptool

from viper import serial_handlers

if __name__ == "__main__":
    serial_handlers.register()
    esptool._main()  # its entry point, which turns errors into exit statuses
