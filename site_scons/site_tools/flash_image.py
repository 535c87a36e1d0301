# SPDX-License-Identifier: MIT
"""The flash image as a node.

Adds to the environment:
    env.FlashImage(table, firmware, files, vfs)  build/<BOARD>/flash.bin and flash.json
"""

from __future__ import annotations

from pathlib import Path

from toolkit.nodes import Firmware, Image
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size
from viper.source.board import Hardware


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "FlashImage", image)


def image(env: Environment, table: Node, firmware: Firmware, files: Node, vfs: Image) -> Image:
    board, build = env["RUN"].board, env["RUN"].folder
    blank = env.Command(f"{build}/otadata.bin", [], step(env, "OTADATA", _otadata))
    made = env.Command(
        [f"{build}/flash.bin", f"{build}/flash.json"],
        [
            str(board.partitions),
            firmware.bootloader,
            table,
            *blank,
            firmware.app,
            files,
            vfs.image,
            vfs.index,
        ],
        step(env, "IMAGE", _image, board=board.hardware),
    )
    return Image(image=made[0], index=made[1])


def _otadata(targets: list[Path], sources: list[Path]) -> str:
    from viper.base import atomic_file
    from viper.image import otadata

    atomic_file.write(targets[0], otadata.blank())
    return "otadata.bin  blank, so that factory boots"


def _image(targets: list[Path], sources: list[Path], board: Hardware) -> str:
    from viper.image import flash_image, partition_table

    csv, *parts = sources
    image, index = targets
    table = partition_table.load(csv, board.flash_size, board.chip)
    flash_image.write(image, index, flash_image.Inputs(*parts), table, board)
    return f"flash.bin  {human_size(image.stat().st_size)}"
