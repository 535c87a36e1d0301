# SPDX-License-Identifier: MIT
"""What `dev` sees is what the graph reads: one list says what both pass over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.dev.watched import Watched
from viper.source.ignored import IgnoreList
from viper.source.tree import Trees

_LIMIT_S = 60.0
SITE = "assets/www"
SHIPPED = ("app.js", "node_modules/lib/index.js", ".well-known/security.txt", "venv/a.pyi")
IGNORED = (".DS_Store", "app.js~", ".app.js.swp", "#app.js#", ".git/HEAD", "__pycache__/a.pyc")


class Session:
    """A watch under way; a change counts when all that was written before it was seen or passed."""

    def __init__(self) -> None:
        self.saved: set[str] = set()
        self._noted = asyncio.Event()
        self._probes = 0

    def note(self, saved: set[Path]) -> None:
        self.saved |= {str(path) for path in saved}
        self._noted.set()

    async def seen(self) -> set[str]:
        """What has been seen until now, but for the file by which that is known."""
        self._probes += 1
        probe = Path(f"{SITE}/probe{self._probes}")
        while str(probe) not in self.saved:  # the watch may only be about to begin
            probe.write_text("")
            probe.unlink()
            self._noted.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._noted.wait(), 0.5)
        seen = {path for path in self.saved if "probe" not in path}
        self.saved -= seen
        return seen

    async def until(self, seen: str, save: Callable[[], object]) -> None:
        """Save something until it is seen: its watch may only be about to begin."""
        while seen not in self.saved:
            save()
            self._noted.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._noted.wait(), 0.5)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*SHIPPED, *IGNORED):
        Path(SITE, name).parent.mkdir(parents=True, exist_ok=True)
    Path("build").mkdir()


def watching(body: Callable[[Session], object]) -> None:
    async def run() -> None:
        session = Session()
        watch = asyncio.create_task(Watched(["assets", SITE], session.note).watch())
        try:
            await session.seen()
            test = body(session)
            assert asyncio.iscoroutine(test)
            await asyncio.wait_for(test, _LIMIT_S)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(run())


def shipped() -> set[str]:
    """What the graph finds, which `sync` ships."""
    trees = Trees(Contents(Path("build/contents.json")), IgnoreList(Path("build/ignored.json")))
    return set(trees.find(SITE).files)


def test_what_is_shipped_is_seen_and_nothing_else() -> None:
    async def body(session: Session) -> None:
        for name in (*SHIPPED, *IGNORED):
            Path(SITE, name).write_text(name)
        Path(SITE, ".#app.js").symlink_to("me@here.1")  # Emacs' lock leads nowhere
        assert await session.seen() == shipped() == {f"{SITE}/{name}" for name in SHIPPED}

    watching(body)


def test_a_line_that_is_added_to_the_list_counts_at_once() -> None:
    async def body(session: Session) -> None:
        listed = "*.map\n!.DS_Store\n"
        await session.until(".viperignore", lambda: Path(".viperignore").write_text(listed))
        for name in ("app.js", "app.js.map", ".DS_Store"):
            Path(SITE, name).write_text(name)
        assert await session.seen() - {".viperignore"} == shipped()
        assert shipped() == {f"{SITE}/app.js", f"{SITE}/.DS_Store"}

    watching(body)


def test_links_are_followed() -> None:
    Path("shared").mkdir()
    Path("shared/a.css").write_text("one")
    Path(SITE, "shared").symlink_to("../../shared")
    Path(SITE, "linked.css").symlink_to("../../shared/a.css")

    async def body(session: Session) -> None:
        def save() -> None:
            Path("shared/a.css").write_text("two")

        await session.until(f"{SITE}/shared/a.css", save)
        await session.until(f"{SITE}/linked.css", save)
        Path("other").mkdir()
        Path("other/b.css").write_text("one")
        Path(SITE, "later.css").symlink_to("../../other/b.css")
        await session.seen()
        await session.until(f"{SITE}/later.css", lambda: Path("other/b.css").write_text("two"))

    watching(body)
