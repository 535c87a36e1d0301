# SPDX-License-Identifier: MIT
"""What a step's result depends on besides its files: our own code, and tools by version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

_IMPORTS = Path(__file__).parents[2]  # the folder that `import viper` looks in
_LOCK_FILE = _IMPORTS.parent / "requirements/base.txt"
_IMPORT = re.compile(r"^ *from (viper[.\w]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
# How a step shows itself, or is stopped, is no part of what it makes.
_NO_INPUTS = {"viper.base.console", "viper.base.errors", "viper.base.interrupt"}


def parts(function: Callable[..., object], uses: Iterable[str] = ()) -> dict[str, str]:
    """All that a function uses, by name: a package with its version, a file of ours by digest.

    These are the functions of its own file that it names, the modules of viper that those name,
    with what they import of viper in their turn, and what is given.

    Args:
        uses: packages of requirements/base.txt by name ("zlib-ng"), and modules of viper
            ("viper.image.app_image"), where the function runs them as a process.
    """
    digest = hashlib.sha256()
    modules: set[str] = set()
    assert isinstance(function, FunctionType)
    for used in _functions(function, {}).values():
        for code in _codes(used.__code__):
            digest.update(code.co_code + repr(code.co_names).encode())
            digest.update(repr([c for c in code.co_consts if not isinstance(c, CodeType)]).encode())
            modules |= _modules(code, used.__globals__)
    found = {f"the step's code in {Path(function.__code__.co_filename).name}": digest.hexdigest()}
    for name in uses:
        if name.startswith("viper."):
            modules.add(name)
        else:
            found[name] = package_version(name)
    for module in sorted(_with_imports(modules)):
        found[module] = _content(module)
    return found


def fingerprint(used: Mapping[str, str]) -> str:
    """A digest of what `parts` has found."""
    return hashlib.sha256(repr(sorted(used.items())).encode()).hexdigest()[:32]


def package_version(name: str) -> str:
    """The version of a package that requirements/base.txt pins."""
    return _versions()[name]


@cache
def _versions() -> dict[str, str]:
    lines = _LOCK_FILE.read_text(encoding="utf-8").splitlines()
    pins = [line.split()[0].partition("==") for line in lines if "==" in line and line[0] != " "]
    return {name: version for name, _, version in pins}


def _functions(function: FunctionType, found: dict[str, FunctionType]) -> dict[str, FunctionType]:
    """A function and those of its own file that it names, directly or through another."""
    found[function.__qualname__] = function
    for code in _codes(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if (
                isinstance(value, FunctionType)
                and value.__globals__ is function.__globals__
                and value.__qualname__ not in found
            ):
                _functions(value, found)
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _modules(code: CodeType, names: dict[str, object]) -> set[str]:
    """The modules of viper that code names, or names something of, or imports itself."""
    values = [names[name] for name in code.co_names if name in names]
    found = {
        str(value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", ""))
        for value in values
    }
    found.update(code.co_names)
    imported = [name for name in code.co_names if name.split(".")[0] == "viper"]
    if imported:  # `from viper import sizes`, in a function: its names are a constant
        listed = [constant for constant in code.co_consts if isinstance(constant, tuple)]
        names_listed = {name for names in listed for name in names if isinstance(name, str)}
        found.update(f"{package}.{name}" for package in imported for name in names_listed)
    return {name for name in found if _file(name)}


def _with_imports(modules: set[str]) -> set[str]:
    """Modules of viper and all that they import of it, however far down."""
    found: set[str] = set()
    waiting = modules - _NO_INPUTS
    while waiting:
        found |= waiting
        waiting = {name for module in waiting for name in _imported(module)} - found - _NO_INPUTS
    return found


@cache
def _imported(module: str) -> set[str]:
    """The modules of viper that a module imports, or imports names of."""
    names: set[str] = set()
    file = _file(module)
    assert file is not None
    for source, listed in _IMPORT.findall(file.read_text(encoding="utf-8")):
        names |= {source, *[f"{source}.{name}" for name in re.findall(r"\w+", listed)]}
    return {name for name in names if _file(name)}


@cache
def _content(module: str) -> str:
    file = _file(module)
    assert file is not None
    return hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def _file(module: str) -> Path | None:
    """The file of a module of viper; None for another, and for a package, which has no code."""
    if module.split(".")[0] != "viper":
        return None
    file = _IMPORTS.joinpath(*module.split(".")).with_suffix(".py")
    return file if file.is_file() else None
