# SPDX-License-Identifier: MIT
"""A file is whole or as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from viper.base import atomic_file


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    atomic_file.write(tmp_path / "a", b"one")
    atomic_file.write(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic_file.write(tmp_path / "a", b"one")

    def full_disk(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        atomic_file.write(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_told_of_one_file_stands_in_a_line(tmp_path: Path) -> None:
    entry = {"size": 1, "source": "a" * 200, "parts": [1, (2, 3)], "on": True}
    document = {"files": {name: entry for name in ("b", "a", "ü")}, "format": 1, "of": {}}
    atomic_file.write_json(tmp_path / "a", document)
    text = (tmp_path / "a").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(document))
    assert [line.strip().partition(":")[0] for line in text.splitlines()] == [
        "{", '"files"', '"a"', '"b"', '"ü"', "},", '"format"', '"of"', "}",
    ]  # fmt: skip


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    atomic_file.write_json(tmp_path / "a", {"b": 1, "a": ["é"]})
    atomic_file.write_json(tmp_path / "b", {"a": ["é"], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text(encoding="utf-8")) == {"a": ["é"], "b": 1}
