# SPDX-License-Identifier: MIT
"""The command behind `./scons perf` and tools/perf_regression.py: measure, keep, compare, tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from viper.base import console
from viper.base.errors import UserError
from viper.performance import limits, profiles, session
from viper.performance.comparison import (
    NOT_COMPARED,
    WORSE,
    Change,
    Comparison,
    compare,
    explain,
    false_alarms,
)
from viper.performance.history import Baseline, History
from viper.performance.record import COMPLETE, Record
from viper.performance.report import Outcome, markdown, words, write_page
from viper.performance.request import OK, REGRESSION, Request
from viper.performance.run_lock import RunLock


def run(request: Request) -> int:
    """Carry out a run, keep its record and its page.

    Returns:
        REGRESSION if it is worse than allowed, or breaks a limit; else OK. A device that serves
        nothing of any profile has nothing that could be measured, which was said.

    Raises:
        UserError: it could not be carried out; earlier history is as it was.
        KeyboardInterrupt: Ctrl-C; what was measured until then has been kept.
    """
    if not re.fullmatch(r"[\w.-]{1,40}", request.tag):
        raise UserError(f"TAG={request.tag} cannot be in a file's name", "use letters and digits")
    wanted = profiles.load(request.profiles_file, request.profiles)
    history = History(request.history)
    if request.baseline:
        history.require(request.baseline)
    record = session.new_record(request, wanted)
    with RunLock(request.history):
        try:
            session.measure(request, wanted, record)
        finally:
            if record.phases:
                outcome = judge(record, history, wanted, request)
                path = history.save(record, markdown(outcome))
                write_page(request.report, outcome)
                console.step("RECORD", f"{path}")
                console.step("REPORT", f"{request.report}")
    if not record.phases:
        return OK
    for line in words(outcome):
        console.note(line)
    return REGRESSION if outcome.failed else OK


def judge(
    record: Record, history: History, wanted: list[profiles.Profile], request: Request
) -> Outcome:
    """What is to be said of a record, beside the history before it."""
    allowed = request.max_regression / 100
    if record.state != COMPLETE:
        nothing = Comparison(NOT_COMPARED)
        return Outcome(record, Baseline(None), nothing, [], [], [record], None, (0, 0), allowed)
    like = history.like(record)
    baseline = history.baseline(record, request.baseline)
    comparison = Comparison(NOT_COMPARED)
    explaining: Sequence[Change] = ()
    drifted = None
    if baseline.record is not None:
        comparison = compare(record, baseline.record, like, allowed)
        explaining = explain(record, baseline.record, like, allowed)
        first = compare(record, like[0], like, allowed)
        if comparison.verdict != WORSE and first.beyond:
            drifted = first
    return Outcome(
        record=record,
        baseline=baseline,
        comparison=comparison,
        explaining=explaining,
        broken=limits.broken(record, wanted),
        like=[*like, record],
        drifted=drifted,
        alarms=false_alarms([*like, record], allowed),
        max_regression=allowed,
    )
