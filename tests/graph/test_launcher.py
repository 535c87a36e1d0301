# SPDX-License-Identifier: MIT
"""./scons: the environment is made once, repaired when it was interrupted, and costs little.

A shell script stands for python3 where the launcher's own decisions are tested: installing for real
takes a minute, and is what the first command on any fresh machine does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from project import ROOT

PYTHON = """#!/bin/sh
# What ./scons asks of python3, and what it then asks of the environment's own.
echo "python3 $*" >>"$LOG"
case "$*" in
    -V) echo "Python 3.8.1" ;;
    *version_info*) exit ${TOO_OLD-0} ;;
    *ensurepip*) exit ${NO_VENV-0} ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"pip install"*) exit ${PIP_FAILS-0} ;;
    *SCons*) echo "SCons in $PWD with $*${PYTHONDONTWRITEBYTECODE+, compiled anew each time}" ;;
esac
"""


class Clone:
    """The launcher and the lock file in a folder of their own, with a double of python3."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my clone"
        self.root.mkdir(parents=True)
        shutil.copy2(ROOT / "scons", self.root)
        shutil.copytree(ROOT / "requirements", self.root / "requirements")
        tools = folder / "bin"
        tools.mkdir()
        (tools / "python3").write_text(PYTHON)
        (tools / "python3").chmod(0o755)
        self.log = folder / "log"
        self.path = f"{tools}{os.pathsep}{os.environ['PATH']}"

    def type(self, *arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(self.root / "scons"), *arguments],
            cwd=cwd or self.root,
            env={**os.environ, "PATH": self.path, "LOG": str(self.log), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def installs(self) -> int:
        return self.log.read_text().count("-m venv") if self.log.exists() else 0


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_what_was_compiled_is_kept(tmp_path: Path) -> None:
    """Images of containers have Python write no bytecode, and then each run compiles the graph."""
    status, output = Clone(tmp_path).type("image", PYTHONDONTWRITEBYTECODE="1")
    assert status == 0
    assert output.endswith(" image\n")


def test_installs_once_and_runs_from_any_folder(clone: Clone, tmp_path: Path) -> None:
    status, output = clone.type("flash", "PORT=a b")
    assert status == 0
    assert output.startswith("PYTHON ")
    assert f"SCons in {clone.root} with -m SCons -Q flash PORT=a b" in output
    status, output = clone.type("-h", cwd=tmp_path)
    assert output == f"SCons in {clone.root} with -m SCons -Q -h\n"
    assert clone.installs() == 1


def test_interrupted_install_is_repaired(clone: Clone) -> None:
    status, output = clone.type(PIP_FAILS="1")
    assert status == 2 and "type ./scons again" in output and "SCons in" not in output
    status, output = clone.type()
    assert status == 0 and clone.installs() == 2


def test_changed_lock_file_installs_anew(clone: Clone) -> None:
    clone.type()
    with (clone.root / "requirements/base.txt").open("a") as file:
        file.write("# another version\n")
    clone.type()
    assert clone.installs() == 2


def test_packages_are_checked_by_hash_with_the_build_tools_first(clone: Clone) -> None:
    clone.type()
    installs = [line for line in clone.log.read_text().splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert "--no-build-isolation" in installs[1]
    first = (clone.root / ".venv/requirements/first.txt").read_text()
    assert re.findall(r"^(\w+)==", first, re.M) == ["pip", "setuptools"]
    assert first.count("--hash=sha256:") >= 2 and not first.rstrip().endswith("\\")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"NO_VENV": "1"}, "sudo apt install python3-venv"),
        ({"TOO_OLD": "1"}, "3.10 or later"),
    ],
)
def test_what_is_missing_is_named(clone: Clone, trouble: dict[str, str], words: str) -> None:
    status, output = clone.type(**trouble)
    assert status == 2 and words in output
    assert len(output.splitlines()) <= 2


def test_no_python(clone: Clone, tmp_path: Path) -> None:
    tools = tmp_path / "few tools"
    tools.mkdir()
    for name in ("sh", "cmp", "readlink", "cat", "flock", "uname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    status, output = clone.type(PATH=str(tools))
    assert status == 2 and "sudo apt install python3 python3-venv" in output


def test_plain_scons_without_the_packages_says_what_to_type(tmp_path: Path) -> None:
    """A scons from PATH, whose Python has none of our packages."""
    only_scons = tmp_path / "packages"
    only_scons.mkdir()
    import SCons

    (only_scons / "SCons").symlink_to(Path(SCons.__file__).parent)
    for name in ("SConstruct", "site_scons", "boards", "nix", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    python = Path(os.path.realpath(ROOT / ".venv/bin/python"))
    done = subprocess.run(
        [str(python), "-S", "-m", "SCons"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(only_scons)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 2, done.stdout
    assert "./scons" in done.stdout and "Traceback" not in done.stdout
