# SPDX-License-Identifier: MIT
"""Nodes that come together, by name."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.scons import Node


@dataclass(frozen=True)
class Firmware:
    """What a port of MicroPython is built into."""

    app: Node
    bootloader: Node
    inputs: Node  # the record of what they are made of, with the build's id
    map: Node  # the linker's


@dataclass(frozen=True)
class Image:
    """An image, and what is in it."""

    image: Node
    index: Node
