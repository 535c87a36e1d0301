# SPDX-License-Identifier: MIT
"""What steps have made is known by content, whatever a file's time says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.graph.outputs import Outputs


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output of the step `build/app.bin`, which has made build/app.map besides."""
    monkeypatch.chdir(tmp_path)
    Path("build").mkdir()
    Path("build/app.bin").write_bytes(b"app" * 1000)
    Path("build/app.map").write_bytes(b"map")
    outputs = known()
    outputs.made("build/app.bin", ["build/app.bin", "build/app.map"])
    outputs.keep()
    return Path("build/app.bin")


def known() -> Outputs:
    return Outputs(Path("build/made.json"), Contents(Path("build/contents.json")))


def written_into(path: Path) -> None:
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut_off(path: Path) -> None:
    os.truncate(path, 10)


@pytest.mark.parametrize("damage", [written_into, cut_off])
def test_a_damaged_output_is_found_and_is_not_used(
    app: Path, damage: Callable[[Path], None]
) -> None:
    assert known().spoilt("build/app.bin") == []
    known().check(["build/app.bin"])
    damage(app)
    assert known().spoilt("build/app.bin") == ["build/app.bin"]
    with pytest.raises(UserError, match=r"build/app\.bin was changed after it was made"):
        known().check(["build/app.bin"])


def test_what_was_made_besides_is_looked_at_too(app: Path) -> None:
    Path("build/app.map").unlink()
    assert known().spoilt("build/app.bin") == ["build/app.map"]


def test_what_is_written_again_as_it_was_is_what_was_made(app: Path) -> None:
    app.write_bytes(b"app" * 1000)
    assert known().spoilt("build/app.bin") == []


def test_what_no_step_has_made_is_not_judged(app: Path) -> None:
    Path("README").write_text("mine")
    known().check(["README"])
    assert known().spoilt("README") == []
    assert known().knows("build/app.map") and not known().knows("README")


def test_what_is_made_again_is_known_anew(app: Path) -> None:
    app.write_bytes(b"other")
    outputs = known()
    outputs.made("build/app.bin", ["build/app.bin"])
    outputs.keep()
    assert known().spoilt("build/app.bin") == [] and not known().knows("build/app.map")


def test_a_step_that_was_overtaken_is_known_until_it_runs_again(app: Path) -> None:
    outputs = known()
    outputs.made("build/app.bin", ["build/app.bin"], is_overtaken=True)
    outputs.keep()
    assert known().is_overtaken("build/app.bin") and known().spoilt("build/app.bin") == []
    again = known()
    again.made("build/app.bin", ["build/app.bin"])
    again.keep()
    assert not known().is_overtaken("build/app.bin")
