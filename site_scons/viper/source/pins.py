# SPDX-License-Identifier: MIT
"""The pins of every fetched input: nix/pins.json, read by the graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base.errors import UserError

MOVABLE = ("micropython", "esp-idf")
"""Pins that are a git repository at a tag, by their names in the file."""


@dataclass(frozen=True)
class Submodule:
    """A git submodule of MicroPython: its path in the checkout, its address and its commit."""

    path: str
    url: str
    commit: str


@dataclass(frozen=True)
class MicroPythonPin:
    """MicroPython by commit; `date` is the commit's, in seconds since 1970."""

    version: str
    url: str
    commit: str
    date: int
    submodules: tuple[Submodule, ...]


@dataclass(frozen=True)
class StandInPin:
    """Debian's source package of MicroPython: `pool` is its path on every Debian mirror."""

    version: str
    commit: str
    date: int
    pool: str
    size: int
    sha256: str


@dataclass(frozen=True)
class EspIdfPin:
    """ESP-IDF by commit; its submodules are the commit's own."""

    version: str
    url: str
    commit: str


@dataclass(frozen=True)
class Pins:
    """All of nix/pins.json."""

    micropython: MicroPythonPin
    stand_in: StandInPin
    esp_idf: EspIdfPin


def load(path: Path) -> Pins:
    """Read the pins.

    Raises:
        UserError: the file is unreadable, not JSON, or a pin is missing.
    """
    try:
        return _pins(json.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}", f"git checkout {path}") from None
    except ValueError as problem:
        raise UserError(f"{path} is not JSON: {problem}", f"git diff {path}") from None
    except (KeyError, TypeError) as problem:
        raise UserError(f"{path}: {problem} is missing or misplaced", f"git diff {path}") from None


def _pins(raw: dict[str, Any]) -> Pins:
    micropython, stand_in = raw["micropython"], raw["micropython-stand-in"]
    idf = raw["esp-idf"]
    return Pins(
        micropython=MicroPythonPin(
            version=micropython["version"],
            url=micropython["url"],
            commit=micropython["commit"],
            date=micropython["date"],
            submodules=tuple(
                Submodule(path, pin["url"], pin["commit"])
                for path, pin in sorted(micropython["submodules"].items())
            ),
        ),
        stand_in=StandInPin(
            version=stand_in["version"],
            commit=stand_in["commit"],
            date=stand_in["date"],
            pool=stand_in["debian-pool"],
            size=stand_in["size"],
            sha256=stand_in["sha256"],
        ),
        esp_idf=EspIdfPin(idf["version"], idf["url"], idf["commit"]),
    )
