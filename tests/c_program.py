# SPDX-License-Identifier: MIT
"""Programs of C for tests, compiled file by file, so that ccache knows most of them already."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from project import ROOT
from viper.firmware import compiler_cache
from viper.source import module_settings

MODULE = ROOT / "firmware" / "cmodules" / "viperhttp"
CORE = MODULE / "core"

_FLAGS = [
    "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread",
    "-Wno-maybe-uninitialized",  # which the sanitizers' own code is warned of
    "-I.", f"-I{CORE}", f"-I{MODULE / 'port'}",
]  # fmt: skip

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
THREAD_SANITIZER = ["-fsanitize=thread"]


def write_config(folder: Path, values: Mapping[str, module_settings.Value]) -> None:
    """Write vhttp_config.h, as the build does, for some values of the module's settings."""
    settings = module_settings.load(ROOT / module_settings.LIST)
    (folder / "vhttp_config.h").write_text(module_settings.header(settings, values))


def build(
    folder: Path,
    sources: Iterable[Path],
    flags: Sequence[str],
    settings: Mapping[str, module_settings.Value] | None = None,
) -> Path:
    """Compile and link a program in an empty folder, named after its first source.

    Args:
        flags: what compiler and linker get besides.
        settings: values of the module's settings, as those of a board.
    """
    write_config(folder, settings or {})
    # Through a link in the folder: what ccache sees does not tell one folder or clone from another.
    (folder / "project").symlink_to(ROOT)
    environment = {**os.environ, **compiler_cache.environment(ROOT)}
    objects = []
    for source in sources:
        made = f"{source.stem}.o"
        compile_it = ["gcc", *_FLAGS, *flags, "-c", str(source), "-o", made]
        seen = [word.replace(f"{ROOT}/", "project/") for word in compile_it]
        subprocess.run([*compiler_cache.command(), *seen], cwd=folder, env=environment, check=True)
        objects.append(made)
    program = Path(objects[0]).stem
    subprocess.run(["gcc", *flags, *objects, "-pthread", "-o", program], cwd=folder, check=True)
    return folder / program
