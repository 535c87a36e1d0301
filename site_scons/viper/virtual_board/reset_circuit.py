"""The auto-reset circuit of a development board: two transistors from DTR and RTS to EN and IO0.

EN is low while RTS alone is asserted, IO0 while DTR alone is; with both or neither asserted
neither is low (esptool's documentation, "Boot Mode Selection"). EN rises slowly, through a
resistor and a capacitor, and the chip reads its strapping pin IO0 when it has risen.
"""

from __future__ import annotations

import enum

# Tools that move DTR and RTS over a network do so about 100 ms apart, and IO0 falls after EN
# begins to rise: the capacitor on EN is what makes their sequence work.
EN_RISE_S = 0.150


class Boot(enum.Enum):
    """What IO0 chooses when the chip comes out of reset."""

    APPLICATION = "application"
    DOWNLOAD = "download"


class ResetCircuit:
    """EN and IO0, as functions of the control lines and of time.

    Attributes:
        en_low: the chip is held in reset.
        io0_low: the strapping pin asks for download mode.
        samples_at: when IO0 will be read; None while EN is low or has long been high.
    """

    def __init__(self) -> None:
        self.en_low = False
        self.io0_low = False
        self.samples_at: float | None = None

    def set_lines(self, dtr: bool, rts: bool, now: float) -> None:
        """The control lines change."""
        was_low = self.en_low
        self.en_low = rts and not dtr
        self.io0_low = dtr and not rts
        if self.en_low:
            self.samples_at = None
        elif was_low:
            self.samples_at = now + EN_RISE_S

    def sample(self, now: float) -> Boot | None:
        """Read IO0 if it is time to: the chip starts, once for each rise of EN."""
        if self.samples_at is None or now < self.samples_at:
            return None
        self.samples_at = None
        return self.strapping

    @property
    def strapping(self) -> Boot:
        """What a reset from inside the chip finds on IO0."""
        return Boot.DOWNLOAD if self.io0_low else Boot.APPLICATION
