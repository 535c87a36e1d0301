# SPDX-License-Identifier: MIT
"""Moving a pin to another version, in nix/pins.json and nowhere else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from viper.base import atomic_file, process
from viper.base.errors import UserError
from viper.source import git_command

_PLATFORM = "linux-amd64"  # in ESP-IDF's tools/tools.json; Nix's pins are for it


def move(pins: Path, name: str, version: str) -> list[str]:
    """Look a version up where the pin says, and write what belongs to it.

    Args:
        pins: nix/pins.json.
        name: one of `pins.MOVABLE`.
        version: a tag, "v1.28.0".

    Returns:
        What changed, a line each: "micropython.commit: 78ff170de9 → 0123456789".

    Raises:
        UserError: there is no such tag, or it cannot be asked for.
    """
    document = json.loads(pins.read_text(encoding="utf-8"))
    before = _flat(document)
    pin = document[name]
    try:
        commit = _commit(pin["url"], version)
        with tempfile.TemporaryDirectory(prefix="viperhttp-pin-") as folder:
            checkout = Path(folder) / name
            git_command.fetch(checkout, pin["url"], commit, f"{name} {version}")
            pin.update(version=version, commit=commit)
            {"micropython": _micropython, "esp-idf": _esp_idf}[name](pin, checkout)
    except git_command.Unreachable as problem:
        raise UserError(str(problem), "check the network") from None
    text = json.dumps(document, indent=2) + "\n"
    atomic_file.write(pins, text.encode())
    after = _flat(document)
    return [
        f"{key}: {before.get(key, 'nothing')[:12]} → {after[key][:12]}"
        for key in after
        if after[key] != before.get(key)
    ]


def _commit(url: str, version: str) -> str:
    """The commit of a tag; of an annotated one, what it points at."""
    tag = f"refs/tags/{version}"
    try:
        listing = git_command.run("ls-remote", url, tag, f"{tag}^{{}}").split()
    except process.ToolFailed as failure:
        raise git_command.Unreachable(f"{url}: {git_command.reason(failure.output)}") from None
    if not listing:
        raise UserError(f"{url} has no tag {version}", f"git ls-remote --tags {url}")
    return listing[-2]


def _micropython(pin: dict[str, Any], checkout: Path) -> None:
    pin["date"] = int(git_command.run("-C", str(checkout), "show", "-s", "--format=%ct"))
    for path, submodule in pin["submodules"].items():
        linked = git_command.run("-C", str(checkout), "ls-tree", "HEAD", "--", path).split()
        if len(linked) < 3:
            raise UserError(f"{pin['version']} has no submodule {path}", "edit nix/pins.json")
        submodule["commit"] = linked[2]


def _esp_idf(pin: dict[str, Any], checkout: Path) -> None:
    tools = json.loads((checkout / "tools/tools.json").read_text(encoding="utf-8"))["tools"]
    for tool in tools:
        if tool["name"] in pin["tools"]:
            wanted = next(v for v in tool["versions"] if v["status"] == "recommended")
            archive = wanted.get(_PLATFORM) or wanted["any"]
            pin["tools"][tool["name"]] = {"url": archive["url"], "sha256": archive["sha256"]}


def _flat(document: Any, prefix: str = "") -> dict[str, str]:
    """Every value by the names that lead to it."""
    if not isinstance(document, dict):
        return {prefix: str(document)}
    flat: dict[str, str] = {}
    for key, value in document.items():
        flat |= _flat(value, f"{prefix}.{key}" if prefix else key)
    return flat
