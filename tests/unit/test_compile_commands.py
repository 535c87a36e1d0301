# SPDX-License-Identifier: MIT
"""What an editor is told of a build by make: each source, and the command that compiles it."""

from __future__ import annotations

import json
from pathlib import Path

from viper.firmware import compile_commands

MAKEFILE = """\
program: main.o
	cc -o program main.o
main.o: main.c names.h
	cc -Iinclude -MD -MF main.d -c -o main.o main.c
names.h: main.c
	cc -E -o names.h main.c
"""


def test_a_build_by_make_tells_of_what_it_compiles_and_of_nothing_else(tmp_path: Path) -> None:
    sources, made = tmp_path / "sources", tmp_path / "build/firmware"
    made.mkdir(parents=True)
    sources.mkdir()
    (sources / "main.c").touch()
    (sources / "Makefile").write_text(MAKEFILE)
    command = ["make", "--no-print-directory", "-C", str(sources), "program"]
    (made / compile_commands.COMMAND_FILE).write_text(json.dumps(command))
    listed = tmp_path / "compile_commands.json"
    assert compile_commands.write(listed, made.parent) == 1
    (told,) = json.loads(listed.read_text())
    main, include = str(sources / "main.c"), str(sources / "include")
    assert told["file"] == main
    assert told["arguments"] == ["cc", f"-I{include}", "-c", "-o", str(sources / "main.o"), main]
    assert not (sources / "main.o").exists()
