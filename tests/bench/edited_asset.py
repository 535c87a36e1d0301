# SPDX-License-Identifier: MIT
"""An asset that is edited, again and again."""

from __future__ import annotations

from collections.abc import Callable

from tests.project import Project


def edits(project: Project, goal: str = "image") -> Callable[[], None]:
    """A function that gives an asset a content it has not had yet, and has a goal built."""
    asset = project.path("assets/www/app.js")
    source = asset.read_text(encoding="utf-8")
    count = 0

    def edit_and_build() -> None:
        nonlocal count
        count += 1
        asset.write_text(f"// {count}\n{source}", encoding="utf-8")
        project.scons(goal)

    return edit_and_build
