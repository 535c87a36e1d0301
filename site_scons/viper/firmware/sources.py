# SPDX-License-Identifier: MIT
"""Which files a firmware is made of: all that its modules' and its board's folders hold.

    firmware/cmodules/   whole, whatever the suffix; links are followed, out of the project too
    firmware/python/     whole
    boards/<NAME>/       but for board.toml, whose settings are inputs by their values
    boards/              what boards share: files, but of partition tables the board's own; folders
                         that are no board's, and other boards that the board's own files name
    boards/overlays/     the board's overlay, if it has one
    sdkconfig fragments  that mpconfigboard.cmake lists, from wherever they come

What only the other of MicroPython's ports reads is left out: of a module the files that ESP-IDF's
cmake or MicroPython's make asks for by their names, of a board whatever is the other's by its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from viper.source.board import OVERLAYS, Board
from viper.source.layout import BOARDS, Layout
from viper.source.tree import Tree, Trees

_TOML = "board.toml"
_OF_THE_OTHER_PORT = {
    "unix": ("micropython.cmake", "CMakeLists.txt", "Kconfig", "idf_component.yml"),
    "esp32": ("micropython.mk",),
}
_OF_OTHER_BOARDS = {
    "unix": ("*.cmake", "Kconfig*", "sdkconfig*", "*.csv"),
    "esp32": ("*.mk",),
}


def find(trees: Trees, layout: Layout, board: Board, modules: str, python: str) -> Tree:
    """The files that a board's firmware is made of, by their paths in the project.

    Args:
        layout: where they are.
        modules, python: the folders of the C modules and of what is frozen, as the layout calls
            them.

    Raises:
        UserError: one cannot be read.
    """

    def folders(name: str) -> list[str]:
        """The folders of a name in the layout, of which a project may have more than one."""
        inner = [each for copy, each in layout.folders.items() if copy.startswith(f"{name}/")]
        return [*inner, layout.original(name)]

    ours = trees.find(*folders(modules), *folders(python), links_out=True, modes=True)
    ours = ours.without(partial(_matches, _OF_THE_OTHER_PORT[board.firmware]))
    boards = trees.find(*folders(BOARDS), links_out=True, modes=True)
    boards = boards.without(partial(_matches, _OF_OTHER_BOARDS[board.firmware]))
    names = {layout.name(path): path for path in boards.files}
    others = _boards(names) - _named(names, board.name)
    boards = boards.without(
        lambda path: (
            _is_description(path)
            or _is_of_another_overlay(layout.name(path), board.overlay)
            or _board_of(layout.name(path)) in others
            or (path.endswith(".csv") and Path(path) != board.partitions)
        )
    )
    found = ours | boards
    if board.firmware == "esp32":
        from viper.firmware import sdkconfig

        listed = sdkconfig.fragments_elsewhere(board.folder)
        found |= trees.find(*listed, links_out=True)
    return found


def _matches(patterns: Iterable[str], path: str) -> bool:
    name = path.rpartition("/")[2]
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_description(path: str) -> bool:
    return path.endswith(f"/{_TOML}")


def _is_of_another_overlay(name: str, overlay: str) -> bool:
    return name.startswith(f"{OVERLAYS}/") and name.split("/")[len(OVERLAYS.parts)] != overlay


def _boards(names: Iterable[str]) -> set[str]:
    return {_board_of(name) for name in names if _is_description(name)}


def _board_of(name: str) -> str:
    """The folder of boards/ that a file is in; empty for one that is in none."""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else ""


def _named(paths: Mapping[str, str], board: str) -> set[str]:
    """A board, and those that its files name, directly or through another's.

    Args:
        paths: the boards' files, by what they are called in the stage.
    """
    paths = {name: path for name, path in paths.items() if not _is_description(name)}
    boards, found, waiting = {_board_of(name) for name in paths}, set[str](), {board}
    while waiting:
        found |= waiting
        texts = [
            Path(path).read_text(encoding="utf-8", errors="replace")
            for name, path in paths.items()
            if _board_of(name) in waiting
        ]
        waiting = {name for name in boards - found if any(f"/{name}/" in text for text in texts)}
    return found
