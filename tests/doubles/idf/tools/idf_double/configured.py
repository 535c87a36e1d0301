# SPDX-License-Identifier: MIT
"""What a configuration leaves in the build folder besides cmake's own files.

python -m idf_double.configured <build> <project> <board folder> <manifest> <chip>
                                [<generated> [<version>]]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_BOOTLOADER = {"esp32": "0x1000", "esp32s3": "0x0"}  # CONFIG_BOOTLOADER_OFFSET_IN_FLASH


def main(
    build: Path,
    project: Path,
    board: Path,
    manifest: Path,
    chip: str,
    generated: str = "",
    version: str = "",
) -> None:
    config = json.loads((build / "config/sdkconfig.json").read_text())
    places = {
        "bootloader": (_BOOTLOADER[chip], "bootloader/bootloader.bin"),
        "app": ("0x10000", "micropython.bin"),
        "partition-table": ("0x8000", "partition_table/partition-table.bin"),
        "otadata": ("0xd000", "ota_data_initial.bin"),
    }
    settings = {
        "flash_mode": "dio",  # ESP-IDF boots in DIO, and switches to QIO
        "flash_size": config["ESPTOOLPY_FLASHSIZE"],
        "flash_freq": "80m",
    }
    flasher_args = {
        "write_flash_args": [
            word for name, value in settings.items() for word in (f"--{name}", value)
        ],
        "flash_settings": settings,
        "flash_files": dict(places.values()),
        **{
            name: {"offset": offset, "file": file, "encrypted": "false"}
            for name, (offset, file) in places.items()
        },
        "extra_esptool_args": {
            "after": "hard_reset",
            "before": "default_reset",
            "stub": True,
            "chip": chip,
        },
    }
    (build / "flasher_args.json").write_text(json.dumps(flasher_args, indent=1))
    description = {
        "project_name": "micropython",
        "project_path": str(project),
        "build_dir": str(build),
        "config_file": str(build / "sdkconfig"),
        "target": chip,
    }
    (build / "project_description.json").write_text(json.dumps(description, indent=1))
    sources = {}
    for line in (build / "sources.txt").read_text().splitlines():
        target, _, listed = line.partition(" ")
        sources[target] = [source for source in listed.split(";") if source.endswith(".c")]
    plan = {
        "project": str(project),
        "board": str(board),
        "manifest": str(manifest),
        "chip": chip,
        "version": version,
        "generated": generated or str(build / "generated"),
        "sources": sources,
        "config": config,
        # What makes ninja run cmake again. No fragment is among them.
        "cmake": [str(project / "CMakeLists.txt"), str(board / "mpconfigboard.cmake")],
    }
    (build / "plan.json").write_text(json.dumps(plan, indent=1))
    (build / "compile_commands.json").write_text("[]\n")


main(*map(Path, sys.argv[1:5]), *sys.argv[5:8])
