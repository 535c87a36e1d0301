"""The flash image as a node, and the record of the build.

Adds to the environment:
    env.FlashImage(table, firmware, files, vfs)  build/<BOARD>/flash.bin and flash.json
    env.BuildRecord(image, firmware, assets, sizes)  build/<BOARD>/build.json: every input's
                                                     digest; refuses an application over MAX_APP
"""

import hashlib
import json

from viper.base import atomic_file
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.image import otadata, partition_table


def exists(env):
    return True


def generate(env):
    env.AddMethod(image, "FlashImage")
    env.AddMethod(record, "BuildRecord")


def image(env, table, firmware, files, vfs):
    board = env["BOARD_TOML"]
    build = env["BUILD_DIR"]
    blank = env.Command(f"{build}/otadata.bin", [], env.Step("OTADATA", _otadata))
    made = env.Command(
        [f"{build}/flash.bin", f"{build}/flash.json"],
        [
            str(board.partitions),
            *(firmware["bootloader"], table, blank, firmware["app"]),
            *(files, vfs["image"], vfs["index"]),
        ],
        env.Step("IMAGE", _image, board=board),
    )
    return {"image": made[0], "index": made[1]}


def record(env, image, firmware, assets, sizes):
    made = env.Command(
        f"{env['BUILD_DIR']}/build.json",
        [firmware["inputs"], assets, image["index"], sizes],
        env.Step("RECORD", _record, max_app=env.get("MAX_APP")),
    )
    env.NoCache(made)  # it is kept in builds/ besides
    return made


def _otadata(targets, sources):
    atomic_file.write(targets[0], otadata.blank())
    return "otadata.bin  blank, so that factory boots"


def _image(targets, sources, board):
    from viper.image import flash_image

    csv, *parts = sources
    table = partition_table.load(csv, board.flash_size, board.chip)
    flash_image.write(*targets, flash_image.Inputs(*parts), table, board)
    return f"flash.bin  {human_size(targets[0].stat().st_size)}"


def _record(targets, sources, max_app):
    from viper.graph import history, sizes

    firmware, assets, flash, linked = (
        json.loads(path.read_text(encoding="utf-8")) for path in sources
    )
    digests = {
        part["name"]: hashlib.sha256((sources[2].parent / part["file"]).read_bytes()).hexdigest()
        for part in flash["parts"]
    }
    listed = json.dumps(assets, sort_keys=True).encode()
    app = next(part["size"] for part in flash["parts"] if part["name"] == "factory")
    if max_app is not None and app > max_app:
        raise UserError(
            f"the application is {app} bytes, {app - max_app} over MAX_APP={max_app}",
            "./scons size shows what takes how much",
        )
    record = {
        "board": flash["board"],
        "build": firmware["build"],
        "app": {name: value for name, value in firmware.items() if name != "build"},
        "assets": {"sha256": hashlib.sha256(listed).hexdigest(), **assets},
        "files": flash["files"],
        "images": digests,
    }
    record["id"] = history.identity(record)
    atomic_file.write_json(targets[0], record)
    history.keep(targets[0].parent / "builds", record, {"parts": sizes.parts(flash), **linked})
    return f"build.json  build {record['build']}, with its files {record['id']}"
