# SPDX-License-Identifier: MIT
"""The bill of materials: what is in the images, what made them, and the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from project import ROOT
from viper.graph import bill_of_materials
from viper.graph.bill_of_materials import Build
from viper.source import pins

PINS = pins.load(ROOT / "nix/pins.json")
LOCK = """
rich==15.0.0 \\
    --hash=sha256:00
none==1 ; sys_platform == "win32" \\
    --hash=sha256:00
"""
COMPONENTS = """
dependencies:
  espressif/mdns:
    component_hash: 46ee81d3
    version: 1.1.0
  idf:
    version: 5.5.1
"""


def bill(folder: Path, **more: Any) -> dict[str, Any]:
    toolchain = more.pop("toolchain", {"gcc": "12"})
    commit = more.pop("commit", PINS.micropython.commit)
    lock = folder / "base.txt"
    lock.write_text(LOCK)
    record = {
        "board": "A_BOARD",
        "id": "1e1b018d75ed9a00",
        "app": {"micropython": {"version": "v1.27.0", "commit": commit}, "toolchain": toolchain},
    }
    build = Build(version="0.1.0", record=record, pins=PINS, lock=lock, **more)
    target = folder / "sbom.cdx.json"
    named = bill_of_materials.write(target, build)
    document: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    assert named == len(document["components"])
    return document


def by_name(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in document["components"]}


def test_what_ships_and_what_made_it(tmp_path: Path) -> None:
    document = bill(tmp_path)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    firmware = document["metadata"]["component"]
    assert (firmware["type"], firmware["version"]) == ("firmware", "0.1.0")
    assert {"name": "viperhttp:board", "value": "A_BOARD"} in firmware["properties"]
    components = by_name(document)
    assert set(components) == {"MicroPython", "rich"}
    micropython = components["MicroPython"]
    assert micropython["purl"].endswith(f"micropython/micropython@{PINS.micropython.commit}")
    assert "scope" not in micropython
    assert components["rich"]["purl"] == "pkg:pypi/rich@15.0.0"
    assert components["rich"]["scope"] == "excluded"
    assert components["rich"]["licenses"][0]["license"]["id"] == "MIT"


def test_debians_micropython_is_named_as_such(tmp_path: Path) -> None:
    micropython = by_name(bill(tmp_path, commit=PINS.stand_in.commit))["MicroPython"]
    assert micropython["purl"].startswith("pkg:deb/debian/micropython@1.25.0")


def test_a_real_boards_components(tmp_path: Path) -> None:
    """ESP-IDF's own, by its version; the component manager's, by the lock's; not the project's."""
    described = {
        "idf_path": "/opt/esp-idf",
        "build_component_info": {
            "lwip": {"dir": "/opt/esp-idf/components/lwip"},
            "main": {"dir": "/home/me/ports/esp32/main"},
            "espressif__mdns": {"dir": "/home/me/managed_components/espressif__mdns"},
        },
    }
    (tmp_path / "project_description.json").write_text(json.dumps(described))
    (tmp_path / "dependencies.lock").write_text(COMPONENTS)
    components = by_name(
        bill(
            tmp_path,
            toolchain={"esp-idf": "v5.5.1"},
            description=tmp_path / "project_description.json",
            components=tmp_path / "dependencies.lock",
        )
    )
    submodules = {"berkeley-db-1.xx", "micropython-lib"}
    expected = {"MicroPython", "ESP-IDF", "lwip", "espressif/mdns", "rich"} | submodules
    assert set(components) == expected
    assert components["lwip"]["version"] == "v5.5.1"
    assert components["espressif/mdns"]["version"] == "1.1.0"


def test_the_same_build_gives_the_same_bytes(tmp_path: Path) -> None:
    bill(tmp_path)
    first = (tmp_path / "sbom.cdx.json").read_bytes()
    bill(tmp_path)
    assert (tmp_path / "sbom.cdx.json").read_bytes() == first


def test_one_version_stands_in_one_place(tmp_path: Path) -> None:
    header = ROOT / "firmware/cmodules/viperhttp/binding/build_info.h"
    version = bill_of_materials.version(header)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = [line for line in changes.splitlines() if line.startswith("## ") and "." in line]
    assert released[0] == f"## {version}"
    (tmp_path / "none.h").write_text("// nothing\n")
    with pytest.raises(ValueError, match="defines no VHTTP_VERSION"):
        bill_of_materials.version(tmp_path / "none.h")
