# SPDX-License-Identifier: MIT
"""What a firmware is made of, for both of MicroPython's ports, and the build id that follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viper.base import atomic_file
from viper.image import app_image
from viper.source import module_settings
from viper.source.layout import Layout
from viper.source.micropython_source import Source


@dataclass(frozen=True)
class Inputs:
    """What the firmware is made of, as it stands in the stage.

    Attributes:
        source: MicroPython.
        tree: the folder that it is compiled in: the checkout, or a copy.
        layout: what our files are called in the stage.
        board: the board's folder there; of a virtual board, a variant of the unix port.
        modules: the folder there that holds the C modules, each in a folder of its own.
        stage: the folder that has the copies of `files`.
        files: the digest of every file of ours that goes into it, by its path relative to the
            stage.
        own: the same of a developer's own MicroPython, by the path in `tree`; else empty.
        settings: the board's values of the module's settings.
        toolchain: what tells the compiler and mpy-cross from others, by name.
        overlay: the folder of boards/overlays that makes it an image for an emulator; "" if none.
    """

    source: Source
    tree: Path
    layout: Layout
    board: Path
    modules: Path
    stage: Path
    files: Mapping[str, str]
    own: Mapping[str, str]
    settings: Mapping[str, module_settings.Value]
    toolchain: Mapping[str, str]
    overlay: str = ""

    def staged(self, path: Path) -> Path:
        """The copy that is compiled of a file or a folder of ours."""
        return self.stage / path

    def original(self, path: Path) -> Path:
        """What it is a copy of, relative to the project."""
        return Path(self.layout.original(path.as_posix()))

    @property
    def originals(self) -> dict[Path, Path]:
        """The folder of each original, by that of its copy."""
        copies = {self.stage / copy: Path(path) for copy, path in self.layout.folders.items()}
        copies[self.stage] = Path()
        return copies | ({self.tree: Path(self.source.path)} if self.own else {})


def digests(inputs: Inputs, system: Mapping[str, str]) -> dict[str, object]:
    """Every input by name, with its digest or its value; build.json shows it.

    Args:
        system: the digests of the compiler's and the C library's own files that were opened, by
            path.
    """
    opened = "\n".join(f"{path} {digest}" for path, digest in sorted(system.items()))
    return {
        "micropython": {"version": inputs.source.version, "commit": inputs.source.commit},
        "overlay": inputs.overlay,
        "toolchain": {
            **inputs.toolchain,
            "headers and libraries": hashlib.sha256(opened.encode()).hexdigest(),
        },
        "settings": dict(inputs.settings),
        "files": dict(sorted(inputs.files.items())),
    }


def build_id(of: Mapping[str, object]) -> str:
    """The digest of all inputs: 16 hexadecimal digits, or fewer behind the name of an overlay."""
    digest = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
    return app_image.build_for(str(of.get("overlay", "")), digest)


def write_headers(inputs: Inputs, identity: str, folder: Path) -> None:
    """Write vhttp_config.h and viperhttp_build.h, which the module includes."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = inputs.staged(inputs.modules / "viperhttp" / module_settings.LIST.name)
    config = module_settings.header(module_settings.load(listed), inputs.settings)
    _write_if_changed(folder / "vhttp_config.h", config)
    _write_if_changed(folder / "viperhttp_build.h", _define({"VHTTP_BUILD_ID": identity}))


def write_record(made_from: Mapping[str, object], record: Path) -> str:
    """Write firmware.json: the build id and all digests.

    Returns:
        The build id.
    """
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
