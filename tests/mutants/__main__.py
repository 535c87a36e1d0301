# SPDX-License-Identifier: MIT
"""`python -m tests.mutants COUNT SEED PATH...`: do the tests notice when the program is another?

COUNT places below the paths are chosen by SEED. At each, a copy of the project is changed a little,
and the tests that reach the place run, for a minute at most: those of tests/unit that execute the
line, or for C those of tests/c that link the file. A mutant that no test notices is named; so is
one that no test reaches.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from viper.base import console
from viper.base.errors import UserError, exits

from tests.mutants import c_mutants, python_mutants, reach
from tests.mutants.mutant import Mutant
from tests.project import ROOT, copy_outputs, copy_sources
from tests.slowness import slowness

_LIMIT_S = 60.0
_FINDERS = {".py": python_mutants.mutants, ".c": c_mutants.mutants}
KILLED, HANGS, SURVIVED, UNREACHED = "killed", "hangs", "survived", "no test reaches it"


@exits
def main(count: int, seed: int, paths: list[Path]) -> None:
    """Try mutants, and say how many of them live.

    Raises:
        UserError: there is nothing to change below the paths, or the tests fail as it is.
    """
    found = [mutant for file in _files(paths) for mutant in _FINDERS[file.suffix](ROOT, file)]
    if not found:
        raise UserError(f"PATHS={','.join(map(str, paths))}: nothing to change there", "ls")
    chosen = sorted(random.Random(seed).sample(found, min(count, len(found))))
    with tempfile.TemporaryDirectory(prefix="viperhttp-mutants-") as folder:
        copy = Path(folder) / "project"
        copy_sources(copy)
        copy_outputs(copy)
        subprocess.run(["git", "init", "-q"], cwd=copy, check=True)  # what tests copy, git lists
        tests = reach.tests(copy, {mutant.path for mutant in chosen})
        outcomes: Counter[str] = Counter()
        for mutant in chosen:
            began = time.monotonic()
            outcome = _outcome(copy, mutant, tests(mutant))
            outcomes[outcome] += 1
            console.note(f"{outcome:<18} {mutant}  {time.monotonic() - began:.1f} s")
    living = outcomes[SURVIVED] + outcomes[UNREACHED]
    console.note(f"{living} of {len(chosen)} live ({living / len(chosen):.0%}), seed {seed}")


def _files(paths: list[Path]) -> list[Path]:
    """What can be changed, from the project's root, sorted."""
    found = set()
    for path in paths:
        if not (ROOT / path).exists():
            raise UserError(f"PATHS={path}: no such file or folder", "ls")
        inside = [ROOT / path] if (ROOT / path).is_file() else (ROOT / path).rglob("*")
        found |= {file.relative_to(ROOT) for file in inside if file.suffix in _FINDERS}
    return sorted(found)


def _outcome(copy: Path, mutant: Mutant, tests: list[str]) -> str:
    if not tests:
        return UNREACHED
    file = copy / mutant.path
    whole = file.read_bytes()
    mutant.apply(copy)
    try:
        return _run(copy, tests)
    finally:
        file.write_bytes(whole)


def _run(copy: Path, tests: list[str]) -> str:
    """What tests say of a changed copy; what they start ends with them."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    with subprocess.Popen(
        command,
        cwd=copy,
        env={**reach.environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return SURVIVED if process.wait(_LIMIT_S * slowness()) == 0 else KILLED
        except subprocess.TimeoutExpired:
            return HANGS
        finally:
            reach.end_group(process.pid)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]])
