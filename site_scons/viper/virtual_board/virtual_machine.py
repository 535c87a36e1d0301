# SPDX-License-Identifier: MIT
"""The chip of a virtual board, and the program that it runs."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path

from viper.virtual_board.machine import Cause, Mode, Surroundings
from viper.virtual_board.payload import HARD_RESET_STATUS, Payload
from viper.virtual_board.reset_circuit import Boot
from viper.virtual_chip import bootloader
from viper.virtual_chip.chip import Chip
from viper.virtual_chip.loader_protocol import LeaveLoader, Loader, Next
from viper.virtual_chip.nor_flash import NorFlash, PowerLost
from viper.virtual_chip.registers import Registers
from viper.virtual_chip.rom_loader import RomLoader
from viper.virtual_chip.shared_page import NO_SECTOR, UNLIMITED, ChipPage
from viper.virtual_chip.stub_loader import StubLoader

_GUEST_HTTP_PORT = 80

_RESETS_ALLOWED = 5
_RESETS_WITHIN_S = 10.0

_BOOT_RETRY_S = 1.0  # between the resets of a chip that finds nothing to boot

_REASONS = {  # as the firmware tells them
    Cause.POWER_ON: "power-on",
    Cause.SOFTWARE: "software",
    Cause.ROM_WATCHDOG: "watchdog",
    Cause.WATCHDOG: "watchdog",
}

_STRAPPING = {
    Boot.APPLICATION: "0x8 (SPI_FAST_FLASH_BOOT)",
    Boot.DOWNLOAD: "0x0 (DOWNLOAD(USB/UART0))",
}


class VirtualMachine:
    """A `machine.Machine` that is a virtual chip. Everything happens in its event loop.

    Args:
        board: what it is on.
        chip: what it is.
        flash: the file of its flash.
        http_port: host port on 127.0.0.1 that the application's port 80 is forwarded from.

    Raises:
        ValueError: the flash file has the wrong size.
    """

    def __init__(self, board: Surroundings, chip: Chip, flash: Path, http_port: int) -> None:
        self.mode = Mode.OFF
        self._board = board
        self._chip = chip
        self._http_port = http_port
        self._page = ChipPage(chip.mac, chip.psram_size)
        self._flash = NorFlash(flash, chip.flash_size, self._page)
        self._loop = asyncio.get_running_loop()
        self._loader: Loader | None = None
        self._payload: Payload | None = None
        self._resets: deque[float] = deque(maxlen=_RESETS_ALLOWED)
        self._reset_reason = _REASONS[Cause.POWER_ON]
        self._reset_count = 0  # since the power came, as the button lets it
        self._boot_timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """See machine.Machine."""
        self._flash.close()
        self._page.close()

    def actions(self) -> dict[str, Callable[..., object]]:
        """See machine.Machine."""
        return {"set_faults": self._set_faults, "counters": self._counters}

    def stop(self, mode: Mode) -> None:
        """See machine.Machine."""
        self.mode = mode
        self._loader = None
        if self._boot_timer is not None:
            self._boot_timer.cancel()
            self._boot_timer = None
        if self._payload is not None:
            self._payload.kill()
            self._payload = None

    def forgive(self) -> None:
        """See machine.Machine."""
        if self.mode is Mode.OFF and self._page.power_budget == 0:
            self._page.power_budget = UNLIMITED  # it is switched on again
        self._resets.clear()

    def leave_reset(self, cause: Cause, strapping: Boot) -> None:
        """See machine.Machine."""
        if cause is Cause.POWER_ON:
            self._reset_count = 0
            self._page.forget_kept()
        else:
            self._reset_count += 1
        self._reset_reason = _REASONS[cause]
        self._print(f"ESP-ROM:{self._chip.name}-virtual")
        self._print(f"rst:{cause.value},boot:{_STRAPPING[strapping]}")
        if strapping is Boot.DOWNLOAD:
            self._print("waiting for download")
            self._enter_loader(RomLoader)
        else:
            self._start_application()

    @property
    def untaken(self) -> int:
        """See machine.Machine."""
        return self._payload.unwritten if self._payload else 0

    def pause(self, paused: bool) -> None:
        """See machine.Machine."""
        if self._payload is not None:
            self._payload.pause(paused)

    def receive(self, data: bytes) -> None:
        """See machine.Machine."""
        if self._payload is not None:
            self._payload.write(data)
        elif self._loader is not None:
            try:
                self._loader.receive(data)
            except PowerLost:
                self._board.power_off()
            except LeaveLoader as leaving:
                self._leave_loader(leaving.target)

    def _set_faults(self, power_after_bytes: int | None, bad_sector: int | None) -> None:
        self._page.power_budget = UNLIMITED if power_after_bytes is None else power_after_bytes
        self._page.bad_sector = NO_SECTOR if bad_sector is None else bad_sector

    def _counters(self) -> dict[str, int]:
        page = self._page
        return {"bytes_programmed": page.bytes_programmed, "sectors_erased": page.sectors_erased}

    def _enter_loader(self, loader: type[Loader]) -> None:
        self.mode = Mode.DOWNLOAD
        registers = self._loader.registers if self._loader else Registers(self._chip, self._flash)
        self._loader = loader(self._chip, self._flash, registers, self._board.answered)

    def _start_application(self) -> None:
        self._loader = None
        self.mode = Mode.BOOTLOADER
        try:
            application = bootloader.boot(self._flash, self._chip, self._print)
        except bootloader.NoBootloader:
            self._boot_again(Cause.ROM_WATCHDOG)
            return
        except bootloader.BootFailed:
            self._boot_again(Cause.SOFTWARE)
            return
        except PowerLost:
            self._board.power_off()
            return
        self.mode = Mode.APPLICATION
        try:
            self._payload = Payload(
                application.executable,
                {"VIRTUAL_FLASH_FD": self._flash.fd, "VIRTUAL_CHIP_FD": self._page.fd},
                {
                    "VIRTUAL_FORWARD": f"{_GUEST_HTTP_PORT}:{self._http_port}",
                    "VIRTUAL_RUNNING_APP": str(application.address),
                    "VIRTUAL_RESET": self._reset_reason,
                    "VIRTUAL_RESETS": str(self._reset_count),
                },
                self._board.printed,
                self._application_ended,
            )
        except OSError as error:
            self._halt(f"the application cannot be executed: {error.strerror}")

    def _boot_again(self, cause: Cause) -> None:
        """As the chip does, for ever, until something is flashed."""
        self._boot_timer = self._loop.call_later(_BOOT_RETRY_S, self._board.start_chip, cause)

    def _halt(self, why: str) -> None:
        self.stop(Mode.HALTED)
        self._print(f"halted: {why}; reset the board, or flash it")

    def _leave_loader(self, target: Next) -> None:
        if target is Next.STUB:
            self._enter_loader(StubLoader)
            assert isinstance(self._loader, StubLoader)
            self._loader.greet()
        elif target is Next.APPLICATION:
            self._start_application()
        elif target is Next.RESET:
            self._board.start_chip(Cause.SOFTWARE)
        else:
            self._halt("this board runs no program from RAM but esptool's stub")

    def _application_ended(self, status: int) -> None:
        self._payload = None
        if self._page.power_budget == 0 and status == -signal.SIGKILL:
            self._board.power_off()  # the application has felt its power fail
            return
        if status == HARD_RESET_STATUS:
            cause = Cause.SOFTWARE
        else:
            ended = f"signal {-status}" if status < 0 else f"exit status {status}"
            self._print(f"the application ended with {ended}")
            cause = Cause.WATCHDOG
        now = self._loop.time()
        if len(self._resets) == _RESETS_ALLOWED and now - self._resets[0] < _RESETS_WITHIN_S:
            self._halt(f"{_RESETS_ALLOWED} resets within {_RESETS_WITHIN_S:.0f} s")
            return
        self._resets.append(now)
        self._board.start_chip(cause)

    def _print(self, line: str) -> None:
        self._board.printed(line.encode() + b"\r\n")
