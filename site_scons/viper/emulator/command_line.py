# SPDX-License-Identifier: MIT
"""What QEMU is started with to be a board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from viper.base.chip_models import MODELS
from viper.virtual_board.reset_circuit import Boot

_GUEST_HTTP_PORT = 80


@dataclass(frozen=True)
class Emulated:
    """A board as QEMU knows it.

    Args:
        program: QEMU.
        chip: a chip of chip_models.MODELS that has an emulation.
        psram_size: bytes.
        is_octal: whether the PSRAM's bus has eight lines.
        flash: the file of the flash, as long as the flash.
        efuses: the file of the efuses.
    """

    program: str
    chip: str
    psram_size: int
    is_octal: bool
    flash: Path
    efuses: Path


def words(board: Emulated, strapping: Boot, http_port: int, serial: int, monitor: int) -> list[str]:
    """The command.

    Args:
        strapping: what the chip finds on its pins: they cannot be set once QEMU runs.
        http_port: host port on 127.0.0.1 that the guest's port 80 is forwarded from.
        serial, monitor: descriptors of the sockets that it inherits for both.
    """
    emulation = MODELS[board.chip].emulation
    assert emulation is not None
    command = [
        board.program, "-machine", board.chip, "-display", "none", "-no-user-config",
        "-drive", f"file={_quoted(board.flash)},if=mtd,format=raw",
        "-drive", f"file={_quoted(board.efuses)},if=none,format=raw,id=efuse",
        "-global", f"driver={emulation.efuses},property=drive,value=efuse",
        "-global", f"driver={emulation.timers},property=wdt_disable,value=true",
        "-nic", f"user,model=open_eth,hostfwd=tcp:127.0.0.1:{http_port}-:{_GUEST_HTTP_PORT}",
        "-chardev", f"socket,id=line,fd={serial}", "-serial", "chardev:line",
        "-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control",
    ]  # fmt: skip
    if board.psram_size:
        command += ["-m", f"{board.psram_size >> 20}M"]
    if board.is_octal:
        command += ["-global", "driver=ssi_psram,property=is_octal,value=true"]
    if strapping is Boot.DOWNLOAD:
        strap = f"property=strap_mode,value={emulation.download_strap}"
        command += ["-global", f"driver={board.chip}.gpio,{strap}"]
    return command


def _quoted(path: Path) -> str:
    """A path in a list of QEMU's options, where a comma is written twice."""
    return str(path).replace(",", ",,")
