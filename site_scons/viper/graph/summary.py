# SPDX-License-Identifier: MIT
"""What one run did, for its last line."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from viper.base.console import human_size


@dataclass
class RunSummary:
    """Counts of one run. Any thread may add to them.

    Attributes:
        steps_run: steps whose action did something.
        steps_skipped: steps that were looked at and found up to date.
        steps_taken: steps whose result came from a cache.
        ignored: files that were passed over (viper.source.ignored).
        bytes_written: bytes written to the flash or the file system of a device.
        url: where the page is served, once a device serves it.
        begun: whether it came to anything; it does not after an error in what was typed.
        device: whether a device took part; without one, no bytes are told.
    """

    steps_run: int = 0
    steps_skipped: int = 0
    steps_taken: int = 0
    ignored: int = 0
    bytes_written: int = 0
    url: str = ""
    begun: bool = False
    device: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ran(self, steps: int = 1) -> None:
        """Count steps that did something."""
        with self._lock:
            self.steps_run += steps

    def skipped(self, steps: int = 1) -> None:
        """Count steps that were up to date."""
        with self._lock:
            self.steps_skipped += steps

    def took(self, steps: int = 1) -> None:
        """Count steps whose result came from a cache."""
        with self._lock:
            self.steps_taken += steps

    def wrote(self, size: int) -> None:
        """Count bytes written to a device, and that one took part."""
        with self._lock:
            self.bytes_written += size
            self.device = True

    def line(self) -> str:
        """`3 steps run, 14 skipped, 12.3 KiB written, http://127.0.0.1:8080/`."""
        taken = [f"{self.steps_taken} from the cache"] if self.steps_taken else []
        plural = "" if self.ignored == 1 else "s"
        ignored = [f"{self.ignored} file{plural} ignored"] if self.ignored else []
        parts = [
            f"{self.steps_run} step{'' if self.steps_run == 1 else 's'} run",
            f"{self.steps_skipped} skipped",
            *taken,
            *ignored,
            f"{human_size(self.bytes_written)} written" if self.device else "no device touched",
        ]
        return ", ".join(parts) + (f", {self.url}" if self.url else "")
