# SPDX-License-Identifier: MIT
"""Moving a pin: what is looked up, what is written, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.source import pin_update

MODULE = "lib/micropython-lib"


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env={**os.environ, "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """Pins of a repository that has the tags v1 and v2, the latter annotated."""
    repository = tmp_path / "repository"
    repository.mkdir()
    _git(repository, "init", "-q")
    (repository / "tools").mkdir()
    for number in (1, 2):
        archive = {"url": f"https://example.org/{number}", "sha256": f"{number}" * 64}
        versions = [
            {"name": "old", "status": "supported", "linux-amd64": {"url": "", "sha256": ""}},
            {"name": "new", "status": "recommended", "linux-amd64": archive},
        ]
        tools = {"tools": [{"name": "xtensa-esp-elf", "versions": versions}]}
        (repository / "tools/tools.json").write_text(json.dumps(tools))
        link = f"160000,{str(number) * 40},{MODULE}"
        _git(repository, "add", "tools")
        _git(repository, "update-index", "--add", "--cacheinfo", link)
        _git(repository, "commit", "-q", "-m", str(number))
        tag = ["-m", "two", "v2"] if number == 2 else ["v1"]
        _git(repository, "tag", *tag)
    url = repository.as_uri()
    path = tmp_path / "pins.json"
    document = {
        "micropython": {
            **{"version": "v1", "url": url, "commit": _git(repository, "rev-parse", "v1")},
            **{"date": 0, "submodules": {MODULE: {"url": "unused", "commit": "1" * 40}}},
        },
        "esp-idf": {
            **{"version": "v1", "url": url, "commit": _git(repository, "rev-parse", "v1")},
            "tools": {"xtensa-esp-elf": {"url": "https://example.org/1", "sha256": "1" * 64}},
        },
        "other": {"version": "stays"},
    }
    path.write_text(json.dumps(document))
    return path


def test_micropython_with_its_submodules(pins: Path) -> None:
    changes = pin_update.move(pins, "micropython", "v2")
    document = json.loads(pins.read_text())
    pin = document["micropython"]
    repository = Path(pin["url"].removeprefix("file://"))
    assert pin["version"] == "v2" and pin["commit"] == _git(repository, "rev-parse", "v2^{}")
    assert pin["date"] == 1767323045 and pin["submodules"][MODULE]["commit"] == "2" * 40
    assert document["esp-idf"]["version"] == "v1" and document["other"] == {"version": "stays"}
    assert changes[0] == "micropython.version: v1 → v2" and len(changes) == 4


def test_esp_idf_with_its_tools(pins: Path) -> None:
    pin_update.move(pins, "esp-idf", "v2")
    pin = json.loads(pins.read_text())["esp-idf"]
    assert pin["tools"] == {"xtensa-esp-elf": {"url": "https://example.org/2", "sha256": "2" * 64}}


def test_what_is_pinned_already_changes_nothing(pins: Path) -> None:
    pin_update.move(pins, "esp-idf", "v1")
    assert pin_update.move(pins, "esp-idf", "v1") == []


def test_no_such_tag_leaves_the_pins_alone(pins: Path) -> None:
    before = pins.read_bytes()
    with pytest.raises(UserError, match="has no tag v3"):
        pin_update.move(pins, "micropython", "v3")
    assert pins.read_bytes() == before


def test_no_such_host(pins: Path) -> None:
    pins.write_text(pins.read_text().replace("/repository", "/nowhere"))
    with pytest.raises(UserError, match="nowhere"):
        pin_update.move(pins, "micropython", "v2")
