# SPDX-License-Identifier: MIT
"""Which paths of the application are asked for, by smoke, serve, perf: its app.toml says it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path

from viper.base.errors import UserError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class AppPaths:
    """Paths on the device, each "" if the application has no such thing.

    Attributes:
        file: where they are told.
        page: a file, which core 0 serves alone.
        python: a route of Python.
        health, metrics: what core 0 tells by itself.
        device: the device's MAC and the memory that it has free.
        files: a digest of its files.
    """

    file: Path
    page: str = ""
    python: str = ""
    health: str = ""
    metrics: str = ""
    device: str = ""
    files: str = ""


def load(path: Path) -> AppPaths:
    """Read a project's file; an application without one has nothing that is asked for.

    Raises:
        UserError: it cannot be read, is no TOML, or has a key or a value that it cannot have.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return AppPaths(path)
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: not valid TOML: {problem}", f"mend {path}") from None
    known = [field.name for field in fields(AppPaths) if field.name != "file"]
    for key, value in document.items():
        if key not in known:
            raise UserError(
                f"{path}: unknown key '{key}'{nearest(key, known)}",
                f"known keys: {', '.join(known)}",
            )
        if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
            raise UserError(f"{path}: '{key}' is {value!r}", f'it must be a path: {key} = "/…"')
    return AppPaths(path, **document)
