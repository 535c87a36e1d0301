# SPDX-License-Identifier: MIT
"""What ninja does in a build folder: what is out of date, by the times of files, as ninja sees it.

Outputs name the inputs that they are made of; nothing is compiled.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from idf_double import frozen, images, linker, partitions

_LOG = ".double_log.json"


class Failed(Exception):
    """A step failed; the text is what it printed."""


def build(folder: Path) -> int:
    """Bring a build folder up to date.

    Returns:
        ninja's exit status.
    """
    plan = json.loads((folder / "plan.json").read_text())
    configured = (folder / "build.ninja").stat().st_mtime_ns
    if any(Path(name).stat().st_mtime_ns > configured for name in plan["cmake"]):
        print("[0/1] Re-running CMake...", flush=True)
        if subprocess.run(["cmake", "-S", plan["project"], "-B", str(folder)]).returncode:
            print("ninja: error: rebuilding 'build.ninja': subcommand failed")
            return 1
        plan = json.loads((folder / "plan.json").read_text())
    steps = _Steps(folder)
    try:
        _plan_steps(steps, folder, plan)
        return steps.run()
    except Failed as failure:
        print(failure)
        print("ninja: build stopped: subcommand failed.")
        return 1


class _Steps:
    """Steps in order, each with what it makes and what it is made of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._steps: list[tuple[str, str, list[Path], Callable[[], None]]] = []

    def add(self, text: str, output: str, inputs: Iterable[Path], make: Callable[[], None]) -> None:
        self._steps.append((text, output, list(inputs), make))

    def run(self) -> int:
        log_file = self._folder / _LOG
        log = json.loads(log_file.read_text()) if log_file.exists() else {}
        total, done = len(self._steps), 0
        for text, output, inputs, make in self._steps:
            for path in inputs:
                if not path.exists():
                    shown = path if path.is_absolute() else f"../{path}"
                    print(
                        f"ninja: error: '{shown}', needed by '{output}', missing and no known "
                        "rule to make it"
                    )
                    return 1
            newest = max((path.stat().st_mtime_ns for path in inputs), default=0)
            if (self._folder / output).exists() and log.get(output, -1) >= newest:
                continue
            done += 1
            print(f"[{done}/{total}] {text}", flush=True)
            (self._folder / output).parent.mkdir(parents=True, exist_ok=True)
            make()
            log[output] = newest
            log_file.write_text(json.dumps(log))
        if not done:
            print("ninja: no work to do.")
        return 0


def _plan_steps(steps: _Steps, folder: Path, plan: dict) -> None:
    port, board = Path(plan["project"]), Path(plan["board"])
    csv = port / plan["config"]["PARTITION_TABLE_CUSTOM_FILENAME"]
    headers = [board / "mpconfigboard.h", *Path(plan["generated"]).glob("*.h")]
    headers.append(folder / "config/sdkconfig.json")
    sources = {Path(s) for listed in plan["sources"].values() for s in listed}
    for source in sources:
        headers += source.parent.parent.rglob("*.h")

    steps.add(
        "Generating ../../partition_table/partition-table.bin",
        "partition_table/partition-table.bin",
        [csv],
        lambda: partitions.write(csv, folder / "partition_table/partition-table.bin"),
    )
    steps.add(
        "Generating binary image from built executable",
        "bootloader/bootloader.bin",
        [folder / "config/sdkconfig.json"],
        lambda: images.write_bootloader(folder / "bootloader/bootloader.bin", plan),
    )
    steps.add(
        "Generating ../../genhdr/qstr.i.last",
        "genhdr/qstr.i.last",
        sources,
        lambda: _collect_names(folder, sources),
    )
    # Built each time, as by ninja; it has work only if a file is newer than the output.
    steps.add(
        "Generating ../../frozen_content.c",
        "frozen_content.c",
        frozen.modules(Path(plan["manifest"]), port, Path(plan["board"])),
        lambda: frozen.write(folder / "frozen_content.c", plan),
    )
    objects = []
    for target, listed in plan["sources"].items():
        for source in map(Path, listed):
            name = f"esp-idf/main/CMakeFiles/{target}.dir{source}.obj"
            objects.append(folder / name)
            steps.add(
                f"Building C object {name}",
                name,
                [source, *headers],
                lambda source=source, name=name: _compile(folder, source, name),
            )
    steps.add(
        "Linking CXX executable micropython.elf",
        "micropython.elf",
        [*objects, folder / "frozen_content.c", folder / "genhdr/qstr.i.last"],
        lambda: _link(folder, plan, objects),
    )
    steps.add(
        "Generating binary image from built executable",
        "micropython.bin",
        [folder / "micropython.elf"],
        lambda: images.write_app(folder / "micropython.bin", folder / "micropython.elf", plan),
    )
    steps.add(
        "Checking size of micropython.bin",
        ".size_checked",
        [folder / "micropython.bin", folder / "partition_table/partition-table.bin"],
        lambda: _check_size(folder),
    )
    ota_data = folder / "ota_data_initial.bin"
    steps.add(
        "Generating ../../ota_data_initial.bin",
        ota_data.name,
        [],
        lambda: ota_data.write_bytes(b"\xff" * 8192) and None,
    )


def _collect_names(folder: Path, sources: Iterable[Path]) -> None:
    """Split what is found into a file for each source; that of a source that is gone stays."""
    split = folder / "genhdr/module"
    split.mkdir(exist_ok=True)
    for source in sources:
        found = re.findall(r"^MP_REGISTER_MODULE\(.*?, (\w+)\)", source.read_text(), re.MULTILINE)
        if found:
            (split / source.name).write_text("\n".join(found))
    (folder / "genhdr/qstr.i.last").write_text("\n".join(sorted(map(str, sources))))


def _compile(folder: Path, source: Path, name: str) -> None:
    """An object that tells what it is made of; a source with an `#error` outside any #if fails."""
    depth = 0
    for number, line in enumerate(source.read_text().splitlines(), 1):
        depth += line.startswith("#if") - line.startswith("#endif")
        if line.startswith("#error ") and not depth:
            raise Failed(
                f"FAILED: {name}\nxtensa-esp-elf-gcc -c {source} -o {name}\n"
                f"{source}:{number}:2: error: {line}"
            )
    content = hashlib.sha256(source.read_bytes()).hexdigest().encode()
    if source.name == "memory_use.c":  # the record of viperhttp that every image has
        content += b"VHTTP_MEMORY_USE" + struct.pack("<3I", 14 << 10, 2 << 20, 40 << 10)
    (folder / name).write_bytes(content)


def _link(folder: Path, plan: dict, objects: list[Path]) -> None:
    """Everything that goes into the executable, with the headers that the objects have seen."""
    here = "\n".join(
        Path(s).read_text() for listed in plan["sources"].values() for s in map(Path, listed)
    )
    for split in sorted((folder / "genhdr/module").glob("*")):
        for module in split.read_text().splitlines():
            if not re.search(rf"\b{module} = ", here):
                raise Failed(
                    "FAILED: micropython.elf\nxtensa-esp-elf-g++ @CMakeFiles/micropython.elf.rsp\n"
                    "ld: esp-idf/main/libmain.a(objmodule.c.obj): "
                    f"undefined reference to `{module}'\n"
                    "collect2: error: ld returned 1 exit status"
                )
    headers = [
        path
        for pattern in (Path(plan["board"]).glob("*.h"), Path(plan["generated"]).glob("*.h"))
        for path in sorted(pattern)
    ]
    # No code uses the path of the partition table.
    config = {**plan["config"], "PARTITION_TABLE_CUSTOM_FILENAME": ""}
    parts = [path.read_bytes() for path in (*objects, *headers, folder / "frozen_content.c")]
    linker.link(folder, plan, objects)
    (folder / "micropython.elf").write_bytes(b"".join([*parts, json.dumps(config).encode()]))


def _check_size(folder: Path) -> None:
    size = (folder / "micropython.bin").stat().st_size
    slots = partitions.app_slots(folder / "partition_table/partition-table.bin")
    if size > max(slots):
        raise Failed(
            f"FAILED: .size_checked\nError: All app partitions are too small for binary "
            f"micropython.bin size {size:#x}:\n  - overflow {size - max(slots):#x}"
        )
    print(f"micropython.bin binary size {size:#x} bytes. Smallest app partition is {min(slots):#x}")
    (folder / ".size_checked").touch()
