# SPDX-License-Identifier: MIT
"""The auto-reset circuit of a development board: two transistors from DTR and RTS to EN and IO0.

EN is low while RTS alone is asserted, IO0 while DTR alone is; with both or neither asserted
neither is low (esptool's documentation, "Boot Mode Selection"). EN rises slowly, through a
resistor and a capacitor, and the chip reads its strapping pin IO0 when it has risen.

How long that takes depends on the board, and clients differ in how they use it: one pulls IO0 down
100 ms after it has let go of EN, another has let go of both after 50 ms. A board stands here for
every board on which a client works: IO0 counts as low if it was so at any time in the window.
"""

from __future__ import annotations

import enum
import math

# The longest that a board may take. 10 kOhm from the chip's hardware design guidelines and 10 uF,
# the most that esptool's documentation advises; the ESP32-S3's datasheet has the threshold of
# CHIP_PU (0.75 VDD) and how long after it the strapping pins are read (3 ms).
_RC_S = 10e3 * 10e-6
_THRESHOLD = 0.75
_STRAPPING_HOLD_S = 0.003
EN_RISE_S = -_RC_S * math.log(1 - _THRESHOLD) + _STRAPPING_HOLD_S  # 142 ms


class Boot(enum.Enum):
    """What IO0 chooses when the chip comes out of reset."""

    APPLICATION = "application"
    DOWNLOAD = "download"


class ResetCircuit:
    """EN and IO0, as functions of the control lines and of time.

    Attributes:
        en_low: the chip is held in reset.
        io0_low: the strapping pin asks for download mode.
        samples_at: when the window for IO0 closes; None while EN is low or has long been high.
    """

    def __init__(self) -> None:
        self.en_low = False
        self.io0_low = False
        self.samples_at: float | None = None
        self._seen_low = False  # IO0, since EN began to rise

    def set_lines(self, dtr: bool, rts: bool, now: float) -> None:
        """The control lines change."""
        was_low = self.en_low
        self.en_low = rts and not dtr
        self.io0_low = dtr and not rts
        if self.en_low:
            self.samples_at = None
        elif was_low:
            self.samples_at = now + EN_RISE_S
            self._seen_low = self.io0_low
        elif self.samples_at is not None and now < self.samples_at:
            self._seen_low = self._seen_low or self.io0_low

    def sample(self, now: float) -> Boot | None:
        """What IO0 has chosen, if the window has closed: the chip starts once a rise of EN."""
        if self.samples_at is None or now < self.samples_at:
            return None
        self.samples_at = None
        return Boot.DOWNLOAD if self._seen_low else Boot.APPLICATION

    @property
    def strapping(self) -> Boot:
        """What a reset from inside the chip finds on IO0."""
        return Boot.DOWNLOAD if self.io0_low else Boot.APPLICATION
