# SPDX-License-Identifier: MIT
"""ESP-IDF: where it is, whether it is the pinned one, and the environment that its tools need.

The environment is what ESP-IDF's export.sh adds to an empty shell. It is kept in a file, since
export.sh takes seconds; nothing of the user's own shell goes into it, nor into what it builds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from viper.base import atomic_file, console, process
from viper.base.errors import UserError
from viper.source import git_command

OWN = Path("build/esp-idf")  # where ./scons idf installs it

# Where ESP-IDF's installers put it: the get-started guide, the plug-in of VS Code, the
# installation manager, the Docker image. {version} is "v5.5.1".
_USUAL_PLACES = (
    "~/esp/esp-idf",
    "~/esp/{version}/esp-idf",
    "~/.espressif/{version}/esp-idf",
    "~/esp-idf",
    "/opt/esp/idf",
    "/opt/esp-idf",
)
_DEFAULT_TOOLS = "~/.espressif"  # IDF_TOOLS_PATH_DEFAULT of tools/idf_tools.py

# What export.sh sets for itself: a file's random name, and what completes words in bash.
_OF_THE_SHELL = {"IDF_DEACTIVATE_FILE_PATH", "IDF_PY_COMP_WORDBREAKS"}


@dataclass(frozen=True)
class Installation:
    """An ESP-IDF in a folder.

    Attributes:
        path: its folder, absolute.
        version: "v5.5.1", from its tools/cmake/version.cmake.
        tools: the folder of its tools and Python environments (IDF_TOOLS_PATH), absolute.
    """

    path: Path
    version: str
    tools: Path

    def state(self) -> str:
        """What changes when another version is put there, or tools are installed or removed."""
        watched = [
            self.path / "tools/cmake/version.cmake",
            self.path / "tools/tools.json",
            self.path / "export.sh",
            self.path / ".git/HEAD",
            self.path / ".git/logs/HEAD",  # moves with each commit that is checked out
            self.tools / "idf-env.json",
            self.tools / "python_env",
            *sorted((self.tools / "python_env").glob("*/pyvenv.cfg")),
            *sorted((self.tools / "tools").glob("*")),
        ]
        times = [path.stat().st_mtime_ns if path.exists() else 0 for path in watched]
        return f"{self.path} {self.version} {self.tools} {times}"

    def install_command(self, chips: str) -> str:
        """What a person types to complete it for some chips ("esp32s3,esp32")."""
        tools = "" if self.tools == _default_tools() else f"IDF_TOOLS_PATH={self.tools} "
        return f"{tools}{self.path}/install.sh {chips}"


@dataclass(frozen=True)
class Environment:
    """What ESP-IDF's tools need to have in their environment.

    Attributes:
        path: ESP-IDF's folder.
        version: "v5.5.1".
        commit: of its repository; empty if it is none.
        tools: the folder of its tools and Python environments, absolute.
        variables: those of ESP-IDF, without PATH.
        search: the folders that go in front of PATH.
    """

    path: str
    version: str
    commit: str
    tools: str
    variables: dict[str, str]
    search: list[str]

    def save(self, file: Path) -> None:
        """Keep it in a file."""
        atomic_file.write_json(file, asdict(self))

    @staticmethod
    def load(file: Path) -> Environment:
        """What `save` has kept."""
        return Environment(**json.loads(file.read_text(encoding="utf-8")))

    def whole(self, **more: str) -> dict[str, str]:
        """All the environment of one of ESP-IDF's tools."""
        clean = process.clean_environment(**self.variables, **process.network_environment(), **more)
        return {**clean, "PATH": os.pathsep.join([*self.search, clean.get("PATH", os.defpath)])}

    def find(self, program: str) -> str | None:
        """Where a tool is, or None."""
        return shutil.which(program, path=self.whole()["PATH"])


def find(
    given: str | None, environment: Mapping[str, str], own: Path, wanted: str
) -> Installation | None:
    """The ESP-IDF to build with.

    IDF=<folder> is taken at its word. Otherwise it is the first that has the wanted version, of
    IDF_PATH, our own and the usual places; if none has, the first that there is.

    Args:
        given: the option IDF.
        environment: the user's, of which IDF_PATH and IDF_TOOLS_PATH are looked at.
        own: where `esp_idf_install` puts one; its tools are in the folder beside, "<own>-tools".
        wanted: the pinned version.

    Raises:
        UserError: IDF names no ESP-IDF.
    """
    tools = Path(environment.get("IDF_TOOLS_PATH") or _default_tools())
    if given is not None:
        folder = Path(given).expanduser().absolute()
        version = _version(folder)
        if version is None:
            raise UserError(
                f"IDF={given} is no ESP-IDF: it has no tools/cmake/version.cmake",
                "name the folder that holds export.sh, or leave IDF out",
            )
        return Installation(folder, version, tools_beside(own) if folder == own else tools)
    places = [environment.get("IDF_PATH") or "", str(own)]
    places += [place.format(version=wanted) for place in _USUAL_PLACES]
    found = list(_installations(filter(None, places), own, tools))
    pinned = [installation for installation in found if installation.version == wanted]
    return next(iter(pinned + found), None)


def tools_beside(own: Path) -> Path:
    """The folder of the tools of our own ESP-IDF."""
    return own.with_name(f"{own.name}-tools")


def check(installation: Installation | None, wanted: str, *, any_version: bool) -> Installation:
    """The installation, if it is one to build with.

    Raises:
        UserError: there is none, or it is not the wanted version and not any will do.
    """
    if installation is None:
        raise UserError(
            f"ESP-IDF {wanted} is needed to build for a real board, and there is none here",
            "./scons idf installs it under build/, IDF=<folder> names yours; "
            "./scons flash alone runs the virtual board",
        )
    if " " in str(installation.path):
        raise UserError(
            f"{installation.path}: ESP-IDF does not work in a path with a space",
            "move it, and name it by IDF=<folder>",
        )
    if installation.version != wanted and not any_version:
        raise UserError(
            f"{installation.path} is ESP-IDF {installation.version}, and {wanted} is pinned",
            "./scons idf installs the pinned one, IDF=<folder> names another, "
            "IDF_ANY=1 builds with this one",
        )
    return installation


def take_environment(installation: Installation) -> Environment:
    """Run export.sh in a shell that has nothing but PATH, HOME and what a network needs.

    Raises:
        UserError: ESP-IDF is not wholly installed; its own words are shown.
    """
    import tempfile

    clean = process.clean_environment(
        IDF_TOOLS_PATH=str(installation.tools), **process.network_environment()
    )
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "environment"
        # export.sh returns 0 even when it has failed, and writes to both outputs.
        script = '. "$1/export.sh" && env -0 >"$2"'
        try:
            output = process.run(
                ["bash", "-c", script, "bash", str(installation.path), str(kept)],
                environment=clean,
            )
        except process.ToolFailed as failure:
            output = failure.output
        text = kept.read_text(encoding="utf-8") if kept.exists() else ""
    after = dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)
    if "IDF_PYTHON_ENV_PATH" not in after or not _complete(after):
        raise _incomplete(installation, output)
    return Environment(
        path=str(installation.path),
        version=installation.version,
        commit=_commit(installation.path),
        tools=str(installation.tools),
        variables={
            name: value
            for name, value in sorted(after.items())
            if name.startswith(("IDF_", "ESP_")) and name not in _OF_THE_SHELL
        },
        search=_added(after["PATH"].split(os.pathsep), clean["PATH"].split(os.pathsep)),
    )


def _version(folder: Path) -> str | None:
    try:
        text = (folder / "tools/cmake/version.cmake").read_text(encoding="utf-8")
    except OSError:
        return None
    numbers = dict(re.findall(r"IDF_VERSION_(MAJOR|MINOR|PATCH) (\d+)", text))
    return "v{MAJOR}.{MINOR}.{PATCH}".format_map({"MAJOR": 0, "MINOR": 0, "PATCH": 0, **numbers})


def _commit(folder: Path) -> str:
    try:
        return git_command.run("-C", str(folder), "rev-parse", "--verify", "HEAD").strip()
    except process.ToolFailed:
        return ""


def _installations(places: Iterable[str], own: Path, tools: Path) -> Iterable[Installation]:
    for place in places:
        folder = Path(place).expanduser().absolute()
        version = _version(folder)
        if version is not None:
            yield Installation(folder, version, tools_beside(own) if folder == own else tools)


def _default_tools() -> Path:
    return Path(_DEFAULT_TOOLS).expanduser()


def _complete(variables: Mapping[str, str]) -> bool:
    """Whether what export.sh has set up can start idf.py."""
    return (
        shutil.which("idf.py", path=variables["PATH"]) is not None
        and (Path(variables["IDF_PYTHON_ENV_PATH"]) / "bin/python").exists()
    )


def _incomplete(installation: Installation, output: str) -> UserError:
    """What is wrong with an installation, from what its export.sh printed."""
    mend = installation.install_command("esp32s3,esp32")
    tool = re.search(r"tool (\S+) has no installed versions", output)
    if tool:
        return UserError(f"ESP-IDF at {installation.path}: {tool[1]} is not installed", mend)
    if re.search(r"[Pp]ython (virtual )?environment|[Pp]ython requirements|No module", output):
        return UserError(
            f"ESP-IDF at {installation.path}: its Python environment is missing or broken", mend
        )
    console.note(output.rstrip())
    return UserError(f"{installation.path}/export.sh does not work (see above)", mend)


def _added(after: list[str], before: list[str]) -> list[str]:
    """The folders that were put in front of PATH."""
    if after[len(after) - len(before) :] == before:
        after = after[: len(after) - len(before)]
    return list(dict.fromkeys(after))
