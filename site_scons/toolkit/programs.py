# SPDX-License-Identifier: MIT
"""Programs of Python that have the terminal and the last word: tests, benchmarks, the fuzzer."""

from __future__ import annotations

from collections.abc import Sequence

from viper.base import program
from viper.base.errors import UserError

from toolkit.run import Run

_GRACE_S = 20.0  # tests stop the boards that they have started


def run_program(run: Run, failure: str, arguments: Sequence[str], **environment: str) -> None:
    """Run a module of Python, and let others build meanwhile.

    Raises:
        UserError: it has ended with a failure, which is what `failure` says.
    """
    run.give_way()
    if program.run(["-m", *arguments], _GRACE_S, environment) != 0:
        raise UserError(failure, "see above")
