# SPDX-License-Identifier: MIT
"""Builds and runs the fuzz targets, with clang's libFuzzer."""

from __future__ import annotations

import subprocess
from pathlib import Path

from viper.source import module_settings

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "firmware" / "cmodules" / "viperhttp" / "core"
SETTINGS = CORE.parent / "settings.toml"
FLAGS = [
    "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g",
    "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
]  # fmt: skip

# Each target, the files of core/ that it links, and libraries to compare with.
TARGETS = {
    "parser": (["parser", "characters"], []),
    "body": (["body", "characters"], []),
    "ring": (["ring"], []),
    "router": (["route", "value", "path", "../port/posix"], []),
    "json": (["json_text", "path"], []),
    "gzip": (["gzip", "deflate", "huffman", "crc32"], ["-lz"]),
}


def build(name: str, folder: Path) -> Path:
    """Compile a target into `folder`."""
    settings = module_settings.load(SETTINGS)
    (folder / "vhttp_config.h").write_text(module_settings.header(settings, {}))
    sources, libraries = TARGETS[name]
    program = folder / f"fuzz_{name}"
    subprocess.run(
        ["clang", *FLAGS, f"-I{CORE}", f"-I{CORE.parent}/port", f"-I{folder}"]
        + [str(HERE / f"fuzz_{name}.c")]
        + [str(CORE / f"{source}.c") for source in sources]
        + [*libraries, "-o", str(program)],
        check=True,
    )
    return program


def run(program: Path, name: str, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Fuzz for some seconds, from the seed corpus; inputs that crash are kept in `folder`."""
    found = folder / "found"
    found.mkdir(exist_ok=True)
    return subprocess.run(
        [
            program,
            f"-max_total_time={seconds}",
            f"-artifact_prefix={folder}/",
            "-verbosity=0",
            str(found),
            str(HERE / "corpus" / name),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
