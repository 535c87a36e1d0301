#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""idf.py: checks how it is called, has cmake configure, and ninja build."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from idf_double import installation

_CACHE_LINE = re.compile(r"^([^#/:=]+):[^:=]+=(.*)$")


class FatalError(Exception):
    """Shown as it is; exit status 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (-\S+)", message)
        if unknown:
            message = f"No such option: {unknown[1]}"
        print(f"Usage: idf.py [OPTIONS] COMMAND1 [ARGS]...\n\nError: {message}", file=sys.stderr)
        sys.exit(2)


def main() -> int:
    installation.record_call("idf.py")
    parser = _Parser(prog="idf.py", add_help=False)
    parser.add_argument("-B", "--build-dir", type=Path)
    parser.add_argument("-D", "--define-cache-entry", action="append", default=[])
    parser.add_argument("actions", nargs="*")
    options = parser.parse_args()
    _check_environment()
    project = Path.cwd().resolve()
    build = (options.build_dir or project / "build").resolve()
    if build == project:
        raise FatalError(
            "Setting the build directory to the project directory is not supported. Suggest "
            "dropping --build-dir option, the default is a 'build' subdirectory inside the "
            "project directory."
        )
    for action in options.actions:
        _configure(project, build, options.define_cache_entry, always=action == "reconfigure")
        if action != "reconfigure":
            target = "all" if action == "build" else action
            if subprocess.run(["ninja", target], cwd=build).returncode:
                raise FatalError("ninja failed with exit code 1")
            print("Project build complete. To flash, run:\n idf.py flash")
    return 0


def _check_environment() -> None:
    """What idf.py wants before it looks at its arguments' meaning."""
    for name in ("IDF_PATH", "IDF_PYTHON_ENV_PATH"):
        if name not in os.environ:
            print(f"WARNING: The {name} is missing in environmental variables!", file=sys.stderr)
    if not sys.argv[0].startswith(os.environ.get("IDF_PATH", "")):
        print("WARNING: IDF_PATH environment variable is another ESP-IDF's", file=sys.stderr)


def _configure(project: Path, build: Path, defined: list[str], *, always: bool) -> None:
    if not (project / "CMakeLists.txt").exists():
        raise FatalError(f"CMakeLists.txt not found in project directory {project}")
    build.mkdir(parents=True, exist_ok=True)
    cache_file = build / "CMakeCache.txt"
    cache = _cache(cache_file)
    entries = [*defined, f"CCACHE_ENABLE={int(os.environ.get('IDF_CCACHE_ENABLE') == '1')}"]
    for entry in entries:
        if "=" not in entry:
            raise FatalError(f"not enough values to unpack: -D {entry}")
    known = all(cache.get(name) == value for name, value in (e.split("=", 1) for e in entries))
    if always or not known:
        _check_target(cache)
        command = ["cmake", "-G", "Ninja", "-DPYTHON_DEPS_CHECKED=1"]
        command += [f"-DPYTHON={sys.executable}", "-DESP_PLATFORM=1"]
        command += [f"-D{entry}" for entry in entries]
        print(f"Running cmake in directory {build}", flush=True)
        done = subprocess.run([*command, str(project)], cwd=build)
        if done.returncode:
            cache_file.unlink(missing_ok=True)  # and with it every -D
            raise FatalError(f"cmake failed with exit code {done.returncode}")
    home = _cache(cache_file).get("CMAKE_HOME_DIRECTORY", str(project))
    if Path(home).resolve() != project:
        raise FatalError(
            f"Build directory '{build}' configured for project '{home}' not '{project}'. "
            "Run 'idf.py fullclean' to start again."
        )


def _check_target(cache: dict[str, str]) -> None:
    asked, cached = os.environ.get("IDF_TARGET"), cache.get("IDF_TARGET")
    if asked and cached and asked != cached:
        raise FatalError(
            f"Target settings are not consistent: '{asked}' in the environment, '{cached}' in "
            "CMakeCache.txt. Run 'idf.py fullclean' to start again."
        )


def _cache(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    return {
        match[1]: match[2]
        for match in map(_CACHE_LINE.match, file.read_text().splitlines())
        if match
    }


try:
    sys.exit(main())
except FatalError as problem:
    print(problem, file=sys.stderr)
    sys.exit(2)
