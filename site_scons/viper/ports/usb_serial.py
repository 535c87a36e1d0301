# SPDX-License-Identifier: MIT
"""Serial devices on USB, as Linux shows them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from viper.base import interrupt

ESPRESSIF = 0x303A
USB_SERIAL_JTAG = 0x1001  # what the chip's own USB is in download mode, whatever it was before
_MAKERS_OF_BRIDGES = (0x10C4, 0x1A86, 0x0403, 0x067B)  # Silicon Labs, WCH, FTDI, Prolific
_DEV = Path("/dev")
_LOOK_AGAIN_MS = 200  # a change that came before the watch began announces itself to nobody


@dataclass(frozen=True)
class UsbSerial:
    """A serial device.

    Args:
        tty: its file, /dev/ttyACM0.
        place: the bus and the sockets on the way, as the kernel names them: "1-2.3". A device that
            is reset keeps it, whatever it is afterwards.
        vendor, product: its USB ids.
        serial: its own number, "" if it has none.
    """

    tty: str
    place: str
    vendor: int
    product: int
    serial: str

    @property
    def is_of_boards(self) -> bool:
        """Whether it is what ESP boards carry: the chip itself or a usual UART bridge."""
        return self.vendor == ESPRESSIF or self.vendor in _MAKERS_OF_BRIDGES

    @property
    def mac(self) -> str:
        """The MAC of a chip that is on USB itself, 12 hex digits in lower case; "" of a bridge.

        Its ROM gives the MAC as serial number with colons (303A:1001), and MicroPython's USB driver
        without, followed by two bytes that mean nothing.
        """
        digits = re.sub(r"[^0-9a-f]", "", self.serial.lower())
        return digits[:12] if self.vendor == ESPRESSIF and len(digits) >= 12 else ""

    def is_same(self, other: UsbSerial) -> bool:
        """Whether it is the same board, which may have come back as another kind of device."""
        return self.mac == other.mac if self.mac and other.mac else self.place == other.place


def connected() -> list[UsbSerial]:
    """All that are plugged in now, by their files' names."""
    from serial.tools import list_ports

    return sorted(
        (
            UsbSerial(
                info.device,
                info.location.partition(":")[0],
                info.vid,
                info.pid,
                info.serial_number or "",
            )
            for info in list_ports.comports()
            if info.vid is not None and info.location
        ),
        key=lambda device: device.tty,
    )


def of(tty: str) -> UsbSerial | None:
    """The device behind a file or a link to it, None if it is none on USB."""
    path = os.path.realpath(tty)
    return next((device for device in connected() if device.tty == path), None)


def wait_for(
    wanted: Callable[[UsbSerial], bool],
    limit_s: float,
    *,
    stop: Callable[[], bool] = lambda: False,
    dev: Path = _DEV,
) -> UsbSerial | None:
    """The first device that is wanted, once this user may open it.

    A device appears as root's alone, and udev hands it over a moment later.

    Args:
        stop: asked now and then whether to give up.

    Returns:
        None if there is none when time is up, or it was given up. One that is there and may not be
        opened is returned then: the caller finds out what right is missing.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    found = None
    for devices in _as_they_change(limit_s, dev):
        found = next(filter(wanted, devices), None)
        if found is not None and os.access(found.tty, os.R_OK | os.W_OK):
            return found
        if stop():
            return None
    return found


def has_left(device: UsbSerial, limit_s: float, dev: Path = _DEV) -> bool:
    """Whether a device leaves the bus, or comes back as another kind, within some time.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    return any(device not in devices for devices in _as_they_change(limit_s, dev))


def _as_they_change(limit_s: float, dev: Path) -> Iterator[list[UsbSerial]]:
    """What is connected: now, after each change, and a few times a second, until time is up."""
    from watchfiles import watch

    deadline = time.monotonic() + limit_s
    watching = watch(
        dev,
        watch_filter=None,
        debounce=_LOOK_AGAIN_MS,
        rust_timeout=_LOOK_AGAIN_MS,
        yield_on_timeout=True,
        recursive=False,
        force_polling=False,
        ignore_permission_denied=True,
    )
    try:
        while True:
            yield connected()
            if time.monotonic() > deadline:
                return
            next(watching)
            if interrupt.requested():
                raise KeyboardInterrupt
    finally:
        watching.close()
