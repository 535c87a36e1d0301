# SPDX-License-Identifier: MIT
"""The board: chip, flash, serial line and reset circuit put together."""

from __future__ import annotations

import asyncio
import enum
import signal
import socket
from collections import deque
from pathlib import Path

from viper.virtual_board import rfc2217
from viper.virtual_board.console_log import ConsoleLog
from viper.virtual_board.line_rate import Wire
from viper.virtual_board.payload import HARD_RESET_STATUS, Payload
from viper.virtual_board.reset_circuit import Boot, ResetCircuit
from viper.virtual_board.serial_port import BUFFER_LIMIT, SerialPort
from viper.virtual_board.state import CONSOLE_LOG, FLASH_FILE
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

_FLOW_INTERVAL_S = 0.005  # how often a full buffer is looked at again
_STALLED_S = 1.0  # a client that takes nothing for so long does not hold up the application


class Mode(enum.Enum):
    """What the chip is doing."""

    OFF = "off"
    RESET = "reset"
    DOWNLOAD = "download"
    BOOTLOADER = "bootloader"
    APPLICATION = "application"
    HALTED = "halted"


class Cause(enum.Enum):
    """Why the chip starts, as its ROM prints it."""

    POWER_ON = "0x1 (POWERON)"
    SOFTWARE = "0x3 (RTC_SW_SYS_RST)"
    ROM_WATCHDOG = "0x7 (TG0WDT_SYS_RST)"
    WATCHDOG = "0x10 (RTCWDT_RTC_RST)"


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


class VirtualBoard:
    """One board. Everything happens in its event loop.

    Args:
        folder: where its flash file and console log are.
        chip: what it carries.
        listener: where its serial port listens, from `serial_port.bind`.
        http_port: host port on 127.0.0.1 that the application's port 80 is forwarded from.

    Raises:
        ValueError: the flash file has the wrong size.

    Attributes:
        mode: what the chip is doing.
        page: counters and faults.
        port: the serial port.
    """

    def __init__(self, folder: Path, chip: Chip, listener: socket.socket, http_port: int) -> None:
        self.mode = Mode.OFF
        self.page = ChipPage(chip.mac, chip.psram_size)
        self._chip = chip
        self._http_port = http_port
        self._flash = NorFlash(folder / FLASH_FILE, chip.flash_size, self.page)
        self._loop = asyncio.get_running_loop()
        self._log = ConsoleLog(folder / CONSOLE_LOG)
        self._circuit = ResetCircuit()
        self._loader: Loader | None = None
        self._payload: Payload | None = None
        self._resets: deque[float] = deque(maxlen=_RESETS_ALLOWED)
        self._reset_reason = _REASONS[Cause.POWER_ON]
        self._reset_count = 0  # since the power came, as the button lets it
        self._baudrate = rfc2217.DEFAULT_BAUDRATE
        self._hold_line = False
        self._boot_timer: asyncio.TimerHandle | None = None
        self._flow_timer: asyncio.TimerHandle | None = None
        self._unsent = 0  # bytes that the client had not taken, when last looked at
        self._taken_at = 0.0  # when it last took some

        self.port = SerialPort(
            rfc2217.PortEvents(
                data=self._from_client,
                baudrate=self._set_baudrate,
                control=self._set_lines,
                purge_to_client=self._purge_to_client,
                purge_to_board=self._purge_to_board,
            ),
            listener,
        )
        self._to_chip = Wire(self._loop, self._chip_receives)
        self._from_chip = Wire(self._loop, self.port.send)

    # What a person does to the board.

    async def start(self) -> None:
        """Open the port and switch on."""
        await self.port.serve()
        self.power_on()

    def close(self) -> None:
        """Switch the board off and let go of its port and its flash file."""
        self.power_off()
        self.port.close()
        self._flash.close()
        self.page.close()
        self._log.close()

    def power_off(self) -> None:
        """Take the power away."""
        self._stop_chip(Mode.OFF)
        self._from_chip.purge()

    def power_on(self) -> None:
        """Give power; a power budget that is used up is forgotten."""
        if self.mode is Mode.OFF:
            if self.page.power_budget == 0:
                self.page.power_budget = UNLIMITED
            self._resets.clear()
            self._start_chip(Cause.POWER_ON)

    def reset(self) -> None:
        """Press the reset button."""
        if self.mode is not Mode.OFF:
            self._resets.clear()
            self._start_chip(Cause.POWER_ON)

    def set_faults(
        self,
        power_after_bytes: int | None,
        bad_sector: int | None,
        answer_delay_ms: int,
        hold_line: bool,
    ) -> None:
        """See control.set_faults."""
        self.page.power_budget = UNLIMITED if power_after_bytes is None else power_after_bytes
        self.page.bad_sector = NO_SECTOR if bad_sector is None else bad_sector
        self._from_chip.delay_s = answer_delay_ms / 1000
        self._hold_line = hold_line
        self._set_baudrate(self._baudrate)

    # The serial port.

    def _set_baudrate(self, baudrate: int) -> None:
        self._baudrate = baudrate
        self._to_chip.baudrate = self._from_chip.baudrate = baudrate if self._hold_line else None

    def _from_client(self, data: bytes) -> None:
        self._to_chip.send(data)
        self._watch_flow()

    def _purge_to_client(self) -> None:
        self._from_chip.purge()

    def _purge_to_board(self) -> None:
        self._to_chip.purge()

    def _set_lines(self, dtr: bool, rts: bool) -> None:
        was_low = self._circuit.en_low
        self._circuit.set_lines(dtr, rts, self._loop.time())
        if self.mode is Mode.OFF:
            return
        if self._circuit.en_low and not was_low:
            self._stop_chip(Mode.RESET)
            self._from_chip.purge()
        elif self._circuit.samples_at is not None and was_low:
            when = self._circuit.samples_at
            self._loop.call_at(when, self._sample_io0, when)

    def _sample_io0(self, now: float) -> None:
        # The timer of an earlier rise finds that it is not time, or that the chip is off.
        strapping = self._circuit.sample(now)
        if strapping and self.mode is Mode.RESET:
            self._resets.clear()
            self._leave_reset(Cause.POWER_ON, strapping)

    # The chip.

    def _stop_chip(self, mode: Mode) -> None:
        self.mode = mode
        self._loader = None
        self._to_chip.purge()
        if self._boot_timer is not None:
            self._boot_timer.cancel()
            self._boot_timer = None
        if self._payload is not None:
            self._payload.kill()
            self._payload = None

    def _start_chip(self, cause: Cause) -> None:
        """Reset the chip, by its button or from inside."""
        self._stop_chip(Mode.RESET)
        if not self._circuit.en_low:  # else EN's rise will start it
            self._leave_reset(cause, self._circuit.strapping)

    def _leave_reset(self, cause: Cause, strapping: Boot) -> None:
        """Start what IO0 has chosen: the loader or the application."""
        if cause is Cause.POWER_ON:
            self._reset_count = 0
            self.page.forget_kept()
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

    def _enter_loader(self, loader: type[Loader]) -> None:
        self.mode = Mode.DOWNLOAD
        registers = self._loader.registers if self._loader else Registers(self._chip, self._flash)
        self._loader = loader(self._chip, self._flash, registers, self._from_chip.send)

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
            self.power_off()
            return
        self.mode = Mode.APPLICATION
        try:
            self._payload = Payload(
                application.executable,
                {"VIRTUAL_FLASH_FD": self._flash.fd, "VIRTUAL_CHIP_FD": self.page.fd},
                {
                    "VIRTUAL_FORWARD": f"{_GUEST_HTTP_PORT}:{self._http_port}",
                    "VIRTUAL_RUNNING_APP": str(application.address),
                    "VIRTUAL_RESET": self._reset_reason,
                    "VIRTUAL_RESETS": str(self._reset_count),
                },
                self._console_output,
                self._application_ended,
            )
        except OSError as error:
            self._halt(f"the application cannot be executed: {error.strerror}")

    def _boot_again(self, cause: Cause) -> None:
        """As the chip does, for ever, until something is flashed."""
        self._boot_timer = self._loop.call_later(_BOOT_RETRY_S, self._start_chip, cause)

    def _halt(self, why: str) -> None:
        self._stop_chip(Mode.HALTED)
        self._print(f"halted: {why}; reset the board, or flash it")

    def _chip_receives(self, data: bytes) -> None:
        if self._payload is not None:
            self._payload.write(data)
            self._watch_flow()
        elif self._loader is not None:
            try:
                self._loader.receive(data)
            except PowerLost:
                self.power_off()
            except LeaveLoader as leaving:
                self._leave_loader(leaving.target)

    def _leave_loader(self, target: Next) -> None:
        if target is Next.STUB:
            self._enter_loader(StubLoader)
            assert isinstance(self._loader, StubLoader)
            self._loader.greet()
        elif target is Next.APPLICATION:
            self._start_application()
        elif target is Next.RESET:
            self._start_chip(Cause.SOFTWARE)
        else:
            self._halt("this board runs no program from RAM but esptool's stub")

    def _application_ended(self, status: int) -> None:
        self._payload = None
        if self.page.power_budget == 0 and status == -signal.SIGKILL:
            self.power_off()  # the application has felt its power fail
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
        self._start_chip(cause)

    # The console.

    def _print(self, line: str) -> None:
        self._console_output(line.encode() + b"\r\n")

    def _console_output(self, data: bytes) -> None:
        self._log.write(data)
        if self.port.connected and not self._stalled:
            self._from_chip.send(data)
            self._watch_flow()

    # Flow control: neither side is read while the other takes nothing.

    @property
    def _stalled(self) -> bool:
        """Whether the client has long taken nothing: what is printed goes past it, as on a UART."""
        full = self._unsent > BUFFER_LIMIT
        return full and self._loop.time() - self._taken_at > _STALLED_S

    def _watch_flow(self) -> None:
        to_chip = self._to_chip.pending + (self._payload.unwritten if self._payload else 0)
        unsent = self._from_chip.pending + self.port.unsent
        if unsent < self._unsent or unsent <= BUFFER_LIMIT:
            self._taken_at = self._loop.time()
        self._unsent = unsent

        self.port.pause(to_chip > BUFFER_LIMIT)
        if self._payload is not None:
            self._payload.pause(unsent > BUFFER_LIMIT and not self._stalled)
        if max(to_chip, unsent) > BUFFER_LIMIT and self._flow_timer is None:
            self._flow_timer = self._loop.call_later(_FLOW_INTERVAL_S, self._watch_flow_again)

    def _watch_flow_again(self) -> None:
        self._flow_timer = None
        self._watch_flow()
