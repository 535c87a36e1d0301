# SPDX-License-Identifier: MIT
"""Failures of an action in the words of a person who can mend them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from viper.base.errors import UserError


@contextmanager
def failures(target: object) -> Iterator[None]:
    """Let what is raised be a UserError, where it is neither one nor a fault of the program.

    Args:
        target: what is named where the failure itself names no file.
    """
    try:
        yield
    except KeyboardInterrupt:
        # SCons lets this one end the thread that it is raised in, and then waits for it for ever.
        raise UserError("interrupted", "the same again goes on where this stopped") from None
    except OSError as problem:
        where = problem.filename or target
        if problem.errno == errno.ENOSPC:
            raise UserError(
                f"{where}: the disk is full", "free some space, and try again"
            ) from None
        raise UserError(f"{where}: {problem.strerror or problem}") from None
