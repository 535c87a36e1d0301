# SPDX-License-Identifier: MIT
"""From a saved asset to the screen."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from tests.bench.figure import Figure, timed
from tests.chromium import Chromium
from tests.dev_session import DevSession
from tests.project import Project

PORT = "PORT=virtual:dev"
SAVES = 7


def figures(project: Project) -> list[Figure]:
    """An asset is saved while a browser shows its page."""
    executable = shutil.which("chromium")
    if executable is None:
        return []
    loop = DevSession(project.start("dev", PORT))
    try:
        address = loop.page()
        with Chromium(executable, Path(project.folder.parent, "profile")) as browser:
            page = browser.open(address, width=1280)
            page.wait_until("document.title === 'ViperHTTP'")
            asset = project.path("assets/www/index.html")
            source = asset.read_text(encoding="utf-8")

            def save_and_see(count: int) -> None:
                title = f"Saved {count}"
                asset.write_text(
                    source.replace("<title>ViperHTTP<", f"<title>{title}<"), encoding="utf-8"
                )
                page.wait_until(f"document.title === '{title}'", 60)

            times = [timed(lambda count=count: save_and_see(count)) for count in range(SAVES)]  # type: ignore[misc]
    finally:
        loop.close()
        project.scons("board-stop", PORT)
    return [Figure("dev: from a saved asset to the screen", statistics.median(times), "s", "< 1")]
