# SPDX-License-Identifier: MIT
"""The flake, evaluated by Nix against a stand-in for nixpkgs: nothing is fetched or built."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import ROOT

EXPRESSIONS = [ROOT / "flake.nix", *sorted((ROOT / "nix").glob("*.nix"))]
FLAKE = f"""
(import {ROOT}/flake.nix).outputs {{
  self = {{ }};
  nixpkgs = import {ROOT}/tests/doubles/nixpkgs;
}}
"""
OUTPUTS = [
    "packages.x86_64-linux.default",
    "packages.x86_64-linux.virtual",
    "packages.x86_64-linux.esp32s3",
    "checks.x86_64-linux.tests",
    "devShells.x86_64-linux.default",
]


@pytest.fixture
def nix(tmp_path: Path) -> Any:
    """Runs a tool of Nix with a store of its own; returns what it printed."""
    if shutil.which("nix-instantiate") is None:
        pytest.skip("nix-instantiate is missing: sudo apt install nix-bin")
    variables = {f"NIX_{kind}_DIR": str(tmp_path / kind) for kind in ("STATE", "STORE", "LOG")}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda path: str(path.name))
def test_every_expression_parses(nix: Any, expression: Path) -> None:
    nix("nix-instantiate", "--parse", str(expression))


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_is_a_derivation(nix: Any, output: str) -> None:
    shown = nix("nix-instantiate", "--expr", FLAKE, "--attr", output)
    assert shown.strip().endswith(".drv")


def test_the_app_runs_flash(nix: Any) -> None:
    app = json.loads(
        nix("nix-instantiate", "--eval", "--strict", "--json", "--expr", FLAKE, "-A", "apps")
    )["x86_64-linux"]["flash"]
    assert app["type"] == "app" and app["program"].endswith("/bin/viperhttp-flash")


def test_what_is_fetched_is_what_is_pinned(nix: Any) -> None:
    """Each derivation of the real board's image that fetches has a pin, and each pin is fetched."""
    command = ("nix", "--extra-experimental-features", "nix-command", "show-derivation")
    shown = nix(
        *command,
        "--recursive",
        "--impure",
        "--expr",
        f"({FLAKE}).packages.x86_64-linux.esp32s3",
    )
    fetched = set()
    for derivation in json.loads(shown).values():
        made = derivation["env"]
        if "url" in made:
            fetched.add((made["url"], made.get("rev") or made["sha256"]))
        elif "outputHash" in made:
            fetched.add((made["name"], made["outputHash"]))
    pins = json.loads((ROOT / "nix/pins.json").read_text(encoding="utf-8"))
    checkouts = [
        pins["micropython"],
        *pins["micropython"]["submodules"].values(),
        pins["esp-idf"],
    ]
    assert fetched == {
        *[(pin["url"], pin["commit"]) for pin in checkouts],
        *[(pin["url"], pin["sha256"]) for pin in pins["esp-idf"]["tools"].values()],
        ("viperhttp-wheels-base", pins["python-packages"]["base"]["nar"]),
    }


@pytest.mark.parametrize("lock", ["base", "test"])
def test_the_wheels_are_those_of_the_lock(lock: str) -> None:
    """A new lock needs a new hash: see docs/nix.md."""
    pin = json.loads((ROOT / "nix/pins.json").read_text(encoding="utf-8"))["python-packages"][lock]
    content = (ROOT / f"requirements/{lock}.txt").read_bytes()
    assert hashlib.sha256(content).hexdigest() == pin["requirements"]
