# SPDX-License-Identifier: MIT
"""The board: what it carries, its serial line and its reset circuit put together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from viper.virtual_board import rfc2217
from viper.virtual_board.console_log import ConsoleLog
from viper.virtual_board.line_rate import Wire
from viper.virtual_board.machine import Cause, Machine, Mode, Surroundings
from viper.virtual_board.reset_circuit import ResetCircuit
from viper.virtual_board.serial_port import BUFFER_LIMIT, SerialPort
from viper.virtual_board.state import CONSOLE_LOG

_FLOW_INTERVAL_S = 0.005  # how often a full buffer is looked at again
_STALLED_S = 1.0  # a client that takes nothing for so long does not hold up the application


class Board:
    """One board: a `machine.Surroundings`. Everything happens in its event loop.

    Args:
        folder: where its console log is.
        listener: where its serial port listens, from `serial_port.bind`.
        carries: makes what is on it, given the board.

    Attributes:
        machine: what is on it.
        port: the serial port.
    """

    def __init__(
        self, folder: Path, listener: socket.socket, carries: Callable[[Surroundings], Machine]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._log = ConsoleLog(folder / CONSOLE_LOG)
        self._circuit = ResetCircuit()
        self._baudrate = rfc2217.DEFAULT_BAUDRATE
        self._hold_line = False
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
        self.machine = carries(self)

    # What a person does to the board.

    async def start(self) -> None:
        """Open the port and switch on."""
        await self.port.serve()
        self.power_on()

    def close(self) -> None:
        """Switch the board off and let go of its port and its flash file."""
        self.power_off()
        self.port.close()
        self.machine.close()
        self._log.close()

    def power_off(self) -> None:
        """Take the power away."""
        self._stop_chip(Mode.OFF)
        self._from_chip.purge()

    def power_on(self) -> None:
        """Give power; a power budget that is used up is forgotten."""
        if self.machine.mode is Mode.OFF:
            self.machine.forgive()
            self.start_chip(Cause.POWER_ON)

    def reset(self) -> None:
        """Press the reset button."""
        if self.machine.mode is not Mode.OFF:
            self.machine.forgive()
            self.start_chip(Cause.POWER_ON)

    def set_line(self, answer_delay_ms: int, hold_line: bool) -> None:
        """See control.set_faults."""
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
        if self.machine.mode is Mode.OFF:
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
        if strapping and self.machine.mode is Mode.RESET:
            self.machine.forgive()
            self.machine.leave_reset(Cause.POWER_ON, strapping)

    # The chip.

    def _stop_chip(self, mode: Mode) -> None:
        self.machine.stop(mode)
        self._to_chip.purge()

    def start_chip(self, cause: Cause) -> None:
        """Reset the chip, by its button or from inside."""
        self._stop_chip(Mode.RESET)
        if not self._circuit.en_low:  # else EN's rise will start it
            self.machine.leave_reset(cause, self._circuit.strapping)

    def _chip_receives(self, data: bytes) -> None:
        self.machine.receive(data)
        self._watch_flow()

    def answered(self, data: bytes) -> None:
        """See machine.Surroundings."""
        self._from_chip.send(data)

    def printed(self, data: bytes) -> None:
        """See machine.Surroundings."""
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
        to_chip = self._to_chip.pending + self.machine.untaken
        unsent = self._from_chip.pending + self.port.unsent
        if unsent < self._unsent or unsent <= BUFFER_LIMIT:
            self._taken_at = self._loop.time()
        self._unsent = unsent

        self.port.pause(to_chip > BUFFER_LIMIT)
        self.machine.pause(unsent > BUFFER_LIMIT and not self._stalled)
        if max(to_chip, unsent) > BUFFER_LIMIT and self._flow_timer is None:
            self._flow_timer = self._loop.call_later(_FLOW_INTERVAL_S, self._watch_flow_again)

    def _watch_flow_again(self) -> None:
        self._flow_timer = None
        self._watch_flow()
