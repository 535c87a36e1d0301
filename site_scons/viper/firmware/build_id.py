# SPDX-License-Identifier: MIT
"""What a firmware is made of, for both of MicroPython's ports, and the build id that follows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viper.base import atomic_file
from viper.source import module_settings
from viper.source.micropython_source import Source

_SOURCES = (".c", ".h", ".mk", ".cmake", ".py", ".toml")


@dataclass(frozen=True)
class Inputs:
    """What the firmware is made of. Paths are relative to the project's root.

    Attributes:
        source: MicroPython.
        board: the board's folder; of a virtual board, a variant of the unix port.
        modules: the folder that holds the C modules, each in a folder of its own.
        files: every file of ours that goes into it.
        settings: the board's values of the module's settings.
        toolchain: the compiler and mpy-cross, by version.
    """

    source: Source
    board: Path
    modules: Path
    files: Sequence[Path]
    settings: Mapping[str, module_settings.Value]
    toolchain: Mapping[str, str]


def files(*folders: str | Path) -> list[Path]:
    """What a firmware is compiled from, below some folders, sorted folder by folder."""
    return [
        path
        for folder in folders
        for path in sorted(
            Path(parent, name)
            for parent, _, names in os.walk(folder)
            for name in names
            if name.endswith(_SOURCES)
        )
    ]


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


def write_headers(inputs: Inputs, folder: Path) -> None:
    """Write vhttp_config.h and viperhttp_build.h, which the module includes."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = module_settings.load(inputs.modules / "viperhttp" / module_settings.LIST.name)
    config = module_settings.header(settings, inputs.settings)
    _write_if_changed(folder / "vhttp_config.h", config)
    identity = build_id(digests(inputs))
    _write_if_changed(folder / "viperhttp_build.h", _define({"VHTTP_BUILD_ID": identity}))


def write_record(inputs: Inputs, record: Path) -> str:
    """Write firmware.json: the build id and all digests.

    Returns:
        The build id.
    """
    made_from = digests(inputs)
    identity = build_id(made_from)
    atomic_file.write_json(record, {"build": identity, **made_from})
    return identity


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
