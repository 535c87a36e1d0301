# SPDX-License-Identifier: MIT
"""Virtual boards for tests: each has its own folder, and is stopped when its test is over."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running_board import Board, Console
from site_image import Site, wait_for_boots
from viper.image import app_image, partition_table
from viper.virtual_board import control

PARTITIONS = Path(__file__).parents[2] / "boards" / "partitions-16MiBplus.csv"
FLASH_SIZE = 16 * 1024 * 1024


@contextmanager
def _boards(parent: Path) -> Iterator[Callable[..., Board]]:
    folders = []

    def start(name: str = "board", flash: bytes | None = None, **options: object) -> Board:
        folder = parent / name
        folders.append(folder)
        if flash is not None:
            if folder.exists():  # of a fixture that is made once more, for a test that came late
                control.stop(folder)
                shutil.rmtree(folder)
            folder.mkdir()
            (folder / "flash.bin").write_bytes(flash)
        return Board(folder, control.start(folder, name, **options))  # type: ignore[arg-type]

    try:
        yield start
    finally:
        for folder in folders:
            control.stop(folder)


@pytest.fixture
def new_board(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    """Start a board: new_board(name="board", flash=None, **options of control.start)."""
    with _boards(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def new_shared_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Board]]:
    """As new_board, for boards that all tests of a file use one after the other."""
    with _boards(tmp_path_factory.mktemp("boards")) as start:
        yield start


@pytest.fixture
def board(new_board: Callable[..., Board]) -> Board:
    """A running board with erased flash."""
    return new_board()


@pytest.fixture
def lived_in(new_board: Callable[..., Board], site: Site) -> Board:
    """A board that has the file's `site` and has booted, and so has written to its file system."""
    board = new_board(flash=site.whole())
    wait_for_boots(board, 1)
    return board


@pytest.fixture
def connect() -> Iterator[Callable[[Board], Console]]:
    """Open a board's port; closed when the test is over."""
    consoles = []

    def open_console(board: Board) -> Console:
        consoles.append(Console(board.url))
        return consoles[-1]

    yield open_console
    for console in consoles:
        console.close()


@pytest.fixture(scope="session")
def payload(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The executable of payload.c."""
    binary = tmp_path_factory.mktemp("payload") / "payload"
    source = Path(__file__).with_name("payload.c")
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", str(source), "-o", str(binary)]
    subprocess.run(command, check=True)
    return binary.read_bytes()


@pytest.fixture(scope="session")
def app(payload: bytes) -> bytes:
    """An application image that carries payload.c."""
    return app_image.build_app(payload, project="test", version="1", flash_size=FLASH_SIZE)


@pytest.fixture(scope="session")
def parts(app: bytes) -> dict[int, bytes]:
    """What a board that boots has in its flash: offset to content."""
    table = partition_table.load(PARTITIONS, FLASH_SIZE, "esp32s3")
    return {
        0: app_image.build_bootloader(flash_size=FLASH_SIZE),
        partition_table.TABLE_OFFSET: table.to_binary(),
        table["factory"].offset: app,
    }


@pytest.fixture(scope="session")
def bootable_flash(parts: dict[int, bytes]) -> bytes:
    """The whole flash of a board that boots."""
    flash = bytearray(b"\xff" * FLASH_SIZE)
    for offset, content in parts.items():
        flash[offset : offset + len(content)] = content
    return bytes(flash)
