# SPDX-License-Identifier: MIT
"""The serial line: RFC 2217 without sockets, the line's rate and the reset circuit by a clock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper.ports.telnet import escape
from viper.virtual_board.line_rate import Wire
from viper.virtual_board.reset_circuit import EN_RISE_S, Boot, ResetCircuit
from viper.virtual_board.rfc2217 import PortEvents, Rfc2217Session

IAC, SB, SE, WILL, DO = 255, 250, 240, 251, 253
COM_PORT = 44


class Client:
    """A session and what its client has made of the port, in order."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.replies = bytearray()
        events = PortEvents(
            data=self._data,
            baudrate=lambda rate: self.events.append(rate),
            control=lambda dtr, rts: self.events.append((dtr, rts)),
            purge_to_client=lambda: self.events.append("purge to client"),
            purge_to_board=lambda: self.events.append("purge to board"),
        )
        self.session = Rfc2217Session(events, self.replies.extend)
        self.replies.clear()

    def _data(self, data: bytes) -> None:
        if self.events and isinstance(self.events[-1], bytes):
            data = self.events.pop() + data  # how data is cut does not matter
        self.events.append(data)


def request(number: int, value: bytes) -> bytes:
    return bytes([IAC, SB, COM_PORT, number]) + escape(value) + bytes([IAC, SE])


CONVERSATION = (
    bytes([IAC, WILL, COM_PORT, IAC, DO, 99])
    + b"before\xff\xff"
    + request(1, (460800).to_bytes(4, "big"))
    + request(5, b"\x08")
    + b"between"
    + request(5, b"\x0b")
    + request(12, b"\x03")
    + request(1, (0xFF00).to_bytes(4, "big"))
    + b"after"
)
EVENTS = [
    b"before\xff",
    460800,
    (True, False),
    b"between",
    (True, True),
    "purge to client",
    "purge to board",
    0xFF00,
    b"after",
]


def test_rfc2217_does_the_same_however_the_stream_is_cut() -> None:
    whole = Client()
    whole.session.receive(CONVERSATION)
    assert whole.events == EVENTS
    for cut in range(1, len(CONVERSATION)):
        client = Client()
        client.session.receive(CONVERSATION[:cut])
        client.session.receive(CONVERSATION[cut:])
        assert client.events == EVENTS, cut
        assert client.replies == whole.replies, cut


def test_rfc2217_confirms_what_was_set_and_tells_the_rate_when_asked() -> None:
    client = Client()
    rate = (0xFF0000FF).to_bytes(4, "big")
    client.session.receive(request(1, rate))
    assert client.replies == request(101, rate)
    client.replies.clear()
    client.session.receive(request(1, bytes(4)))
    assert client.replies == request(101, rate)


def test_rfc2217_refuses_options_that_it_does_not_have() -> None:
    client = Client()
    client.session.receive(bytes([IAC, DO, 99, IAC, WILL, 98]))
    assert client.replies == bytes([IAC, 252, 99, IAC, 254, 98])


def test_rfc2217_does_not_answer_answers_for_ever() -> None:
    client = Client()
    client.session.receive(bytes([IAC, DO, COM_PORT]) * 5)
    assert client.replies.count(bytes([IAC, WILL, COM_PORT])) == 0  # offered at the start


@given(st.binary(max_size=200))
def test_rfc2217_survives_any_stream_and_data_passes_unchanged(noise: bytes) -> None:
    Client().session.receive(noise)
    client = Client()
    client.session.receive(escape(noise))
    assert b"".join(event for event in client.events if isinstance(event, bytes)) == noise


def test_rfc2217_does_not_gather_a_subnegotiation_without_end() -> None:
    client = Client()
    client.session.receive(bytes([IAC, SB, COM_PORT, 1]) + b"x" * 1000)
    client.session.receive(b"data")
    assert client.events == [b"data"]


class FakeClock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None], /) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            self.now, _, callback = heapq.heappop(self._timers)
            callback()
        self.now = end


class FakeTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def __call__(self) -> None:
        if self._callback is not None:
            self._callback()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_line_that_is_not_held_delivers_at_once(clock: FakeClock) -> None:
    out = bytearray()
    Wire(clock, out.extend).send(b"now")
    assert out == b"now"


def test_a_held_line_takes_ten_bits_for_each_byte(clock: FakeClock) -> None:
    out = bytearray()
    wire = Wire(clock, out.extend)
    wire.baudrate = 100_000
    wire.send(bytes(5000))
    wire.send(bytes(5000))
    clock.advance(0.4999)
    assert 4900 < len(out) < 5000
    assert wire.pending == 10_000 - len(out)
    clock.advance(0.4999)
    assert len(out) < 10_000
    clock.advance(0.001)
    assert len(out) == 10_000
    clock.advance(5)  # an idle line saves nothing up
    wire.send(bytes(1000))
    clock.advance(0.099)
    assert len(out) < 11_000
    clock.advance(0.0011)
    assert len(out) == 11_000


def test_a_short_packet_arrives_with_its_last_bit(clock: FakeClock) -> None:
    out = bytearray()
    wire = Wire(clock, out.extend)
    wire.baudrate = 1000
    wire.send(b"abc")
    clock.advance(0.0299)
    assert len(out) < 3
    clock.advance(0.0002)
    assert out == b"abc"


def test_a_delay_comes_on_top_and_keeps_the_order(clock: FakeClock) -> None:
    out = bytearray()
    wire = Wire(clock, out.extend)
    wire.delay_s = 0.1
    wire.send(b"first ")
    wire.delay_s = 0.0
    wire.send(b"second")
    clock.advance(0.099)
    assert out == b""
    clock.advance(0.002)
    assert out == b"first second"


def test_a_purge_drops_what_has_not_arrived(clock: FakeClock) -> None:
    out = bytearray()
    wire = Wire(clock, out.extend)
    wire.baudrate = 10_000
    wire.send(bytes(1000))
    clock.advance(0.5)
    wire.purge()
    arrived = len(out)
    clock.advance(5)
    assert len(out) == arrived
    assert wire.pending == 0
    wire.send(b"x")
    clock.advance(5)
    assert len(out) == arrived + 1


# DTR, RTS and when: what a tool does, and what the chip then starts as.
ESPTOOL_OVER_A_NETWORK = [  # each change about 100 ms after the one before
    (0.0, False, False),
    (0.1, False, True),
    (0.4, True, True),  # EN rises here, and IO0 is still high
    (0.5, True, False),
    (0.75, False, False),
]
# esp-serial-flasher and esp_rfc2217_server: both lines are free again before EN has risen.
HELD_FOR_50_MS = [
    (0.0, False, True),
    (0.1, True, False),
    (0.15, False, False),
]
LOW_BEFORE_THE_RESET_ALONE = [  # DTR alone, and then RTS: IO0 is high again as EN falls
    (0.0, True, False),
    (0.05, False, True),
    (0.1, False, False),
]
TOO_LATE = [(0.0, False, True), (0.1, False, False), (0.1 + EN_RISE_S + 0.002, True, False)]
JUST_IN_TIME = [(0.0, False, True), (0.1, False, False), (0.1 + EN_RISE_S - 0.002, True, False)]
HARD_RESET = [(0.0, False, True), (0.1, False, False)]
PORT_OPENED = [(0.0, True, False), (0.1, True, True)]
TWO_QUICK_RESETS = [
    (0.0, False, True),
    (0.1, False, False),
    (0.15, False, True),
    (0.2, True, False),
]


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        (ESPTOOL_OVER_A_NETWORK, [(0.4 + EN_RISE_S, Boot.DOWNLOAD)]),
        (HELD_FOR_50_MS, [(0.1 + EN_RISE_S, Boot.DOWNLOAD)]),
        (LOW_BEFORE_THE_RESET_ALONE, [(0.1 + EN_RISE_S, Boot.APPLICATION)]),
        (TOO_LATE, [(0.1 + EN_RISE_S, Boot.APPLICATION)]),
        (JUST_IN_TIME, [(0.1 + EN_RISE_S, Boot.DOWNLOAD)]),
        (HARD_RESET, [(0.1 + EN_RISE_S, Boot.APPLICATION)]),
        (PORT_OPENED, []),
        (TWO_QUICK_RESETS, [(0.2 + EN_RISE_S, Boot.DOWNLOAD)]),
    ],
)
def test_the_chip_starts_as_io0_was_while_en_rose(
    changes: list[tuple[float, bool, bool]], starts: list[tuple[float, Boot]]
) -> None:
    circuit = ResetCircuit()
    found = []
    pending = list(changes)
    for millisecond in range(1500):
        now = millisecond / 1000
        while pending and pending[0][0] <= now:
            circuit.set_lines(pending[0][1], pending[0][2], now)
            pending.pop(0)
        started = circuit.sample(now)
        if started is not None:
            found.append((now, started))
    assert [boot for _, boot in found] == [boot for _, boot in starts]
    assert [when for when, _ in found] == pytest.approx([when for when, _ in starts], abs=0.002)


def test_en_rises_within_what_the_documents_allow() -> None:
    assert 0.138 < EN_RISE_S < 0.15  # 10 kOhm, 10 uF, 0.75 VDD: 139 ms, and 3 ms of hold time


def test_en_is_low_while_rts_alone_is_asserted() -> None:
    circuit = ResetCircuit()
    for dtr, rts in itertools.product((False, True), repeat=2):
        circuit.set_lines(dtr, rts, 0.0)
        assert circuit.en_low == (rts and not dtr)
        assert circuit.io0_low == (dtr and not rts)
