"""The application's templates as nodes: Jinja in, Python for the device out.

Adds to the environment:
    env.Templates(folder)  build/<BOARD>/templates/*.py
"""

import os
from pathlib import Path

from viper.base import atomic_file
from viper.templates.names import is_part, module_name


def exists(env):
    return True


def generate(env):
    env.AddMethod(compiled, "Templates")


def compiled(env, folder):
    names = sorted(
        Path(parent, name).relative_to(folder).as_posix()
        for parent, _, files in os.walk(folder)
        for name in files
    )
    pages = [name for name in names if not is_part(name)]
    if not pages:
        return []
    build = f"{env['BUILD_DIR']}/templates"
    return env.Command(
        [f"{build}/{module_name(name)}.py" for name in pages],
        [env.fs.File(f"{folder}/{name}") for name in names],
        env.Step("TEMPLATE", _compile, uses=["jinja2"], folder=Path(folder), pages=pages),
    )


def _compile(targets, sources, folder, pages):
    from viper.templates.compiler import compile_folder

    modules = compile_folder(folder, pages)
    for target in targets:
        atomic_file.write(target, modules[target.stem].encode())
    return f"templates  {len(targets)} compiled from {len(sources)}"
