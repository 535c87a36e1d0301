"""The partition table as a node.

Adds to the environment:
    env.PartitionTable()  build/<BOARD>/partition-table.bin from the board's CSV
"""

from viper.base import atomic_file
from viper.image import partition_table


def exists(env):
    return True


def generate(env):
    env.AddMethod(table, "PartitionTable")


def table(env):
    board = env["BOARD_TOML"]
    return env.Command(
        f"{env['BUILD_DIR']}/partition-table.bin",
        str(board.partitions),
        env.Step("TABLE", _table, flash_size=board.flash_size, chip=board.chip),
    )


def _table(targets, sources, flash_size, chip):
    parsed = partition_table.load(sources[0], flash_size, chip)
    atomic_file.write(targets[0], parsed.to_binary())
    return f"{targets[0].name}  {len(list(parsed))} partitions"
