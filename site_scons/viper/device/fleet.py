# SPDX-License-Identifier: MIT
"""The same work on several devices at once: one that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from viper.base.errors import UserError

R = TypeVar("R")


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What became of one device."""

    port: str  # as the user gave it
    result: R | None  # None if it failed
    error: UserError | None  # why it failed
    seconds: float


def work(
    ports: Sequence[str], one: Callable[[str], R], tell: Callable[[Outcome[R]], None]
) -> list[Outcome[R]]:
    """Do something with each of some devices, all at the same time.

    Args:
        ports: the devices.
        one: does it with one of them; UserError is a failure of that one.
        tell: takes each outcome as it comes, in any thread.

    Returns:
        The outcomes, in the order of the ports.

    Raises:
        KeyboardInterrupt: Ctrl-C; the work on every device has ended.
    """

    def attempt(port: str) -> Outcome[R]:
        began = time.monotonic()
        try:
            result, error = one(port), None
        except UserError as problem:
            result, error = None, problem
        outcome = Outcome(port, result, error, time.monotonic() - began)
        tell(outcome)
        return outcome

    with ThreadPoolExecutor(max_workers=len(ports)) as pool:
        futures = [pool.submit(attempt, port) for port in ports]
    return [future.result() for future in futures]
