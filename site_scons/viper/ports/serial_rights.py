# SPDX-License-Identifier: MIT
"""May this user open a serial device, and if not, what gives the right."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

from viper.base.errors import UserError
from viper.ports import usb_serial

_RULES = "/etc/udev/rules.d/70-viperhttp.rules"


def require(tty: Path, called: str) -> None:
    """Make sure that a device file can be read and written.

    Args:
        called: what the error calls it, PORT=/dev/ttyUSB0.

    Raises:
        UserError: it cannot; it names the group that may, and what lets this user in.
    """
    if os.access(tty, os.R_OK | os.W_OK):
        return
    status = tty.stat()
    group = _group_name(status.st_gid)
    both = stat.S_IRGRP | stat.S_IWGRP
    if status.st_mode & both != both or status.st_gid == 0:
        # No group to join: what a system without udev leaves.
        raise UserError(
            f"{called}: only {_user_name(status.st_uid)} may use {tty}",
            f"{_udev_rule(tty)}, or until it is unplugged: sudo chmod a+rw {tty}",
        )
    if status.st_gid not in os.getgroups() and _is_member(group):
        raise UserError(
            f"{called}: you are in the group {group}, which may use {tty}, but were not when you "
            "logged in",
            f"log in again, or type: newgrp {group}",
        )
    raise UserError(
        f"{called}: only the group {group} may use {tty}",
        f"sudo usermod -aG {group} $USER, then log in again; or for whoever sits here: "
        f"{_udev_rule(tty)}",
    )


def _udev_rule(tty: Path) -> str:
    """The command that gives devices of this kind to whoever is logged in."""
    device = usb_serial.of(str(tty))
    kind = f'ATTRS{{idVendor}}=="{device.vendor:04x}"' if device else f'KERNEL=="{tty.name}"'
    rule = f'SUBSYSTEM=="tty", {kind}, MODE="0660", TAG+="uaccess"'
    return f"echo '{rule}' | sudo tee {_RULES}, then plug it in again"


def _is_member(group: str) -> bool:
    return _user_name(os.getuid()) in grp.getgrnam(group).gr_mem


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
