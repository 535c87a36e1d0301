# SPDX-License-Identifier: MIT
"""The one error class for what a person can mend."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from viper.base.printable import printable

P = ParamSpec("P")
R = TypeVar("R")


class UserError(Exception):
    """Something failed for a reason the user can mend: shown as is, exit status 2, no traceback.

    Args:
        what: what failed and where, on one line ("partitions.csv line 6: vfs overlaps ota_0").
        next_step: the command or edit that mends it, on one line, or several commands on a line
            each; empty if `what` says it all.
    """

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\n  {self.next_step}" if self.next_step else self.what


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint `; did you mean 'X'?` for a misspelt word, or nothing when none is near."""
    import difflib

    by_folded = {candidate.casefold(): candidate for candidate in known}
    match = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean '{by_folded[match[0]]}'?" if match else ""


def exits(function: Callable[P, R]) -> Callable[P, R]:
    """Let a UserError from `function` be shown, and a file that it cannot handle be named, and end
    the process with status 2.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UserError as problem:
            told = str(problem)
        except OSError as problem:
            if problem.filename is None:
                raise
            told = str(UserError(f"{problem.filename}: {problem.strerror}", "mend or replace it"))
        print(f"error: {printable(told)}", file=sys.stderr)
        raise SystemExit(2)

    return guarded
