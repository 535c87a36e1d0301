"""Reports on builds: what one takes of flash and memory, and what differs between two.

Adds to the environment
    env.LinkedSizes(firmware)   build/<BOARD>/linked.json: what the linker gave to whom
and, each an action for a goal,
    env.SizeReport(image, linked)  print it, and write build/<BOARD>/size.html
    env.BuildDiff()             what differs between the two builds that `diff` names
    env.CompileCommands()       compile_commands.json, for editors
"""

import json
from pathlib import Path

from viper.base import console
from viper.base.console import human_size
from viper.base.errors import UserError, exits


def exists(env):
    return True


@exits
def generate(env):
    env.AddMethod(linked_sizes, "LinkedSizes")
    env.AddMethod(lambda env, *files: env.Deed(_size, *files), "SizeReport")
    env.AddMethod(lambda env: env.Question(_diff), "BuildDiff")
    env.AddMethod(lambda env: env.Deed(_compile_commands), "CompileCommands")
    if "diff" in env:
        env["QUESTION"] = "diff"


def linked_sizes(env, firmware):
    return env.Command(
        f"{env['BUILD_DIR']}/linked.json",
        [firmware["map"], firmware["app"]],
        env.Step("SIZES", _linked, uses=["esp-idf-size"], psram_size=env["BOARD_TOML"].psram_size),
    )[0]


def _linked(targets, sources, psram_size):
    from viper.base import atomic_file
    from viper.firmware import module_memory
    from viper.graph import sizes

    map_file, app = sources
    measured = sizes.linked(map_file, module_memory.read(app.read_bytes()), psram_size)
    atomic_file.write_json(targets[0], measured)
    return f"linked.json  {human_size(measured['memory']['flash'])} in flash"


def _size(env, index, linked):
    from viper.base import atomic_file
    from viper.graph import history, size_report, sizes

    folder = Path(env["BUILD_DIR"])
    kept = folder / "builds"
    record = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    flash, measured = (json.loads(file.read_text(encoding="utf-8")) for file in (index, linked))
    measured["parts"] = sizes.parts(flash)
    build = {**record, "sizes": measured}
    if env.get("BASELINE"):
        base = history.load(kept, env["BASELINE"])
    else:
        earlier = (old for old in history.all_builds(kept) if old["id"] != build["id"])
        base = next(earlier, None)
    places = size_report.places(env["BOARD_TOML"], measured["parts"])
    for line in size_report.lines(places, build, base):
        console.note(line)
    page = folder / "size.html"
    atomic_file.write(page, size_report.page(places, build, base))
    console.step("PAGE", str(page))


def _diff(env):
    from viper.graph import history

    ids = env.get("diff", "").split(",")
    if len(ids) != 2:
        raise UserError("diff needs two builds", "./scons diff=ID1,ID2 (build.json has the id)")
    kept = Path(env["BUILD_DIR"]) / "builds"
    old, new = (history.load(kept, digits.strip()) for digits in ids)
    differences = history.differences(old, new)
    for line in differences or [f"builds {old['id']} and {new['id']} are the same"]:
        console.note(line)


def _compile_commands(env):
    from viper.firmware import compile_commands

    written = compile_commands.write(Path("compile_commands.json"), Path(env["BUILD_DIR"]))
    console.step("EDITOR", f"compile_commands.json  {written} files")
