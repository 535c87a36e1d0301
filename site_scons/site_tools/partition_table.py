# SPDX-License-Identifier: MIT
"""The partition table as a node.

Adds to the environment:
    env.PartitionTable()  build/<BOARD>/partition-table.bin from the board's CSV
"""

from __future__ import annotations

from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "PartitionTable", table)


def table(env: Environment) -> Node:
    board = env["RUN"].board
    made = env.Command(
        f"{env['RUN'].folder}/partition-table.bin",
        str(board.partitions),
        step(env, "TABLE", _table, flash_size=board.flash_size, chip=board.chip),
    )
    return made[0]


def _table(targets: list[Path], sources: list[Path], flash_size: int, chip: str) -> str:
    from viper.base import atomic_file
    from viper.image import partition_table

    parsed = partition_table.load(sources[0], flash_size, chip)
    atomic_file.write(targets[0], parsed.to_binary())
    return f"{targets[0].name}  {len(list(parsed))} partitions"
