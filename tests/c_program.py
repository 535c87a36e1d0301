"""Programs of C for tests, compiled file by file, so that ccache knows most of them already."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from project import ROOT
from viper import compiler_cache

MODULE = ROOT / "firmware" / "cmodules" / "viperhttp"
CORE = MODULE / "core"

_FLAGS = [
    *("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread"),
    "-Wno-maybe-uninitialized",  # which the sanitizers' own code is warned of
    *("-I.", f"-I{CORE}", f"-I{MODULE / 'port'}"),
]

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
THREAD_SANITIZER = ["-fsanitize=thread"]


def build(folder: Path, sources: Iterable[Path], flags: Sequence[str], settings: str = "") -> Path:
    """Compile and link a program in an empty folder, named after its first source.

    Args:
        flags: what compiler and linker get besides.
        settings: macros of the module, as a board's settings would define them.
    """
    (folder / "viperhttp_board.h").write_text(settings)
    # From the folder, named by relative paths: what ccache sees does not tell one from another.
    environment = {**os.environ, **compiler_cache.environment(ROOT)}
    objects = []
    for source in sources:
        made = f"{source.stem}.o"
        command = [*compiler_cache.command(), "gcc", *_FLAGS, *flags, "-c", str(source), "-o", made]
        subprocess.run(command, cwd=folder, env=environment, check=True)
        objects.append(made)
    program = Path(objects[0]).stem
    subprocess.run(["gcc", *flags, *objects, "-pthread", "-o", program], cwd=folder, check=True)
    return folder / program
