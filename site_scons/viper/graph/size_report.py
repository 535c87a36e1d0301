# SPDX-License-Identifier: MIT
"""What a build takes, for reading: as text, and as a page with a picture of the flash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from viper.base import chip_models
from viper.base.console import human_size
from viper.graph import rendering, sizes
from viper.graph.sizes import Change
from viper.image import partition_table
from viper.source.board import Board

_SHOWN = 15  # components and symbols in the text; the page has all
_WIDTH, _HEIGHT = 960, 120  # of a strip in the picture
_SMALL = 50  # what takes up less than one part in so many is hardly seen


@dataclass(frozen=True)
class Place:
    """A part of the flash: where it is, how much it holds, and what is in it.

    Attributes:
        used: bytes; None where only the device knows.
    """

    name: str
    offset: int
    size: int
    used: int | None


def places(board: Board, parts: Mapping[str, int]) -> list[Place]:
    """The flash of a board from its beginning to its end."""
    table = partition_table.load(board.partitions, board.flash_size, board.chip)
    bootloader = chip_models.MODELS[board.chip].bootloader_offset
    fixed = [
        Place(
            "bootloader",
            bootloader,
            partition_table.TABLE_OFFSET - bootloader,
            parts.get("bootloader"),
        ),
        Place(
            "partition-table",
            partition_table.TABLE_OFFSET,
            partition_table.BINARY_SIZE,
            parts.get("partition-table"),
        ),
    ]
    listed = [Place(e.name, e.offset, e.size, parts.get(e.name)) for e in table]
    return sorted(fixed + listed, key=lambda place: place.offset)


def lines(
    flash: Sequence[Place], build: Mapping[str, Any], base: Mapping[str, Any] | None
) -> list[str]:
    """The report as text.

    Args:
        build: a build of `viper.graph.history`.
        base: the one to compare with, None if there is none.
    """
    against = f", compared with {base['id'][:8]}" if base else ""
    text = [f"build {build['id'][:8]} of {build['board']}{against}", "", "Flash"]
    before = base["sizes"]["parts"] if base else None
    for place in flash:
        change = _change(place.used or 0, before and before.get(place.name, 0))
        text.append(
            f"  {place.name:<16} {place.offset:#8x} {human_size(place.size):>10}  "
            + (f"{human_size(place.used):>10} used {_share(place)}{change}" if place.used else "")
        )
    for title, key in (
        ("Memory, linked and allocated at the start", "memory"),
        ("Largest components in flash", "components"),
        ("Largest symbols in flash", "symbols"),
    ):
        rows = [row for row in _rows(key, build, base) if row.size or row.difference][:_SHOWN]
        if rows:
            text += ["", title]
        for row in rows:
            of = build["sizes"]["of"].get(row.name) if key == "memory" else None
            share = f"  of {of:,} ({100 * row.size / of:.1f} %)" if of else ""
            change = "" if not row.difference else f"  {row.difference:+,}"
            text.append(f"  {row.name:<34} {row.size:>9,}{share}{change}")
    return [line.rstrip() for line in text]


def page(flash: Sequence[Place], build: Mapping[str, Any], base: Mapping[str, Any] | None) -> bytes:
    """The report as a page."""
    tables = []
    for title, key, full in (
        ("Flash", "parts", {place.name: place.size for place in flash}),
        ("Memory, linked and allocated at the start", "memory", build["sizes"]["of"]),
        ("Components in flash", "components", {}),
        ("Symbols in flash", "symbols", {}),
    ):
        rows = []
        for row in _rows(key, build, base):
            of = full.get(row.name, 0)
            percent = round(100 * row.size / of, 1) if of else 0
            change = f"{row.difference:+,}" if row.difference else ""
            rows.append(
                {"name": row.name, "size": row.size, "change": change, "of": of, "percent": percent}
            )
        if rows:
            tables.append({"title": title, "rows": rows, "of": bool(full)})
    return rendering.render(
        "size.html",
        picture(flash),
        board=build["board"],
        id=build["id"],
        against=base["id"] if base else "",
        tables=tables,
    )


def picture(flash: Sequence[Place]) -> str:
    """The flash as a strip in an SVG: each partition to scale, filled as far as it is used.

    What comes before the first large one cannot be seen there, and has a strip below.
    """
    end = max(place.offset + place.size for place in flash)
    large = min(place.offset for place in flash if place.size > end / _SMALL)
    strips = _strip(flash, end, 0)
    strips += _strip([place for place in flash if place.offset < large], large, _HEIGHT)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-30 0 {_WIDTH + 60} {2 * _HEIGHT}" '
        f'font-family="sans-serif" font-size="12" text-anchor="middle">{strips}</svg>'
    )


def _strip(flash: Sequence[Place], end: int, y: int) -> str:
    """The flash up to an address, across the whole picture."""
    drawn = []
    for place in flash:
        x, width = _WIDTH * place.offset / end, max(1.0, _WIDTH * place.size / end)
        filled = width * (place.used or 0) / place.size
        title = f"{place.name} at {place.offset:#x}: {human_size(place.size)}"
        title += f", {human_size(place.used)} used" if place.used else ""
        drawn.append(
            f'<g><title>{escape(title)}</title><rect x="{x:.1f}" y="{y + 30}" '
            f'width="{width:.1f}" height="60" fill="#e7edf4" stroke="#5b6b7b" stroke-width="0.5"/>'
            f'<rect x="{x:.1f}" y="{y + 30}" width="{filled:.1f}" height="60" fill="#2563a8"/>'
        )
        label = f"{place.name} {_share(place).strip()}" if place.used else place.name
        if width > 7 * len(label):
            drawn.append(f'<text x="{x + width / 2:.1f}" y="{y + 20}">{escape(label)}</text>')
        if width > 60:
            drawn.append(f'<text x="{x:.1f}" y="{y + 108}">{place.offset:#x}</text>')
        drawn.append("</g>")
    return "".join(drawn)


def _rows(key: str, build: Mapping[str, Any], base: Mapping[str, Any] | None) -> list[Change]:
    """The largest first; kinds of memory by name."""
    rows = sizes.compared(build["sizes"][key], base["sizes"][key] if base else None)
    return sorted(rows, key=lambda row: row.name) if key == "memory" else rows


def _share(place: Place) -> str:
    return f"{100 * (place.used or 0) / place.size:5.1f} %"


def _change(size: int, before: int | None) -> str:
    return "" if before is None or before == size else f"  {size - before:+,}"
