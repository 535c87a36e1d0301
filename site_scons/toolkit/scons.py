# SPDX-License-Identifier: MIT
"""SCons with types: the one module that imports it, and all that it leaves untyped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

import SCons.CacheDir
import SCons.dblite
import SCons.Environment
import SCons.Node.FS
import SCons.Node.Python
import SCons.SConsign
import SCons.Script
import SCons.Script.Main
import SCons.Warnings
from SCons.Errors import BuildError, ExplicitExit
from SCons.Script.SConscript import global_exports
from SCons.Util import NOFILE, hash_signature
from SCons.Variables import Variables

if TYPE_CHECKING:
    from toolkit.nodes import Firmware
    from toolkit.run import Run
    from toolkit.step import Step


# What SConstruct and the tools handle.


class Node(Protocol):
    """A file of the graph, or a value that a step depends on; str() is a file's path."""

    name: str


class Action(Protocol):
    """What SCons carries out for nodes; made by `action`."""


Nodes: TypeAlias = "Node | str | Sequence[Nodes]"
Execution: TypeAlias = "Callable[[list[Node], list[Node], Environment], None]"


class FileSystem(Protocol):
    """Nodes by their paths."""

    def File(self, name: str) -> Node: ...


class Environment(Protocol):
    """SCons's environment, as far as it is used here. Its one variable is the state of the run."""

    fs: FileSystem

    def __contains__(self, key: str) -> bool: ...
    def __getitem__(self, key: Literal["RUN"]) -> Run: ...
    def __setitem__(self, key: Literal["RUN"], value: Run) -> None: ...
    def AddMethod(self, method: Callable[..., object], name: str) -> None: ...
    def Alias(self, name: str, nodes: Nodes, action: Sequence[Action] = ()) -> list[Node]: ...
    def AlwaysBuild(self, *nodes: Nodes) -> None: ...
    def Builder(self, *, action: Action) -> Callable[[Environment, Node, Node], list[Node]]: ...
    def CacheDir(self, folder: str, custom_class: type) -> None: ...
    def Clean(self, nodes: Nodes, path: str) -> None: ...
    def Command(self, targets: Nodes, sources: Nodes, action: Action) -> list[Node]: ...
    def Decider(self, name: str) -> None: ...
    def Default(self, *names: str) -> None: ...
    def Depends(self, nodes: Nodes, on: Nodes) -> None: ...
    def Flatten(self, nodes: Nodes) -> list[Node]: ...
    def Glob(self, pattern: str) -> list[Node]: ...
    def Ignore(self, nodes: Nodes, what: Nodes) -> None: ...
    def NoCache(self, *nodes: Nodes) -> None: ...
    def NoClean(self, *nodes: Nodes) -> None: ...
    def Precious(self, *nodes: Nodes) -> None: ...
    def Requires(self, nodes: Nodes, first: Nodes) -> None: ...
    def SConsignFile(self, name: str, module: object) -> None: ...
    def Tool(self, name: str) -> None: ...
    def Value(self, value: object, name: str | None = None) -> Node: ...

    # Methods that tools take from other tools, which they load.
    def EspIdf(self) -> Node: ...
    def FirmwareEsp32(self, source: Node, modules: str, python: str) -> Firmware: ...
    def FirmwareUnix(self, source: Node, modules: str, python: str) -> Firmware: ...
    def MicroPythonSubmodules(self, source: Node) -> list[Node]: ...


def has_tool(env: Any, name: str) -> bool:
    """Whether a tool was loaded, or is being loaded."""
    return name in env.get("TOOLS", ())


def exported(name: str) -> object:
    """What a SConstruct has exported by a name; None if it has nothing of it."""
    return global_exports.get(name)


# What was typed.


def targets() -> list[str]:
    """The targets that were typed."""
    return list(SCons.Script.COMMAND_LINE_TARGETS)


def type_instead(names: Sequence[str]) -> None:
    """Go on as if these targets had been typed."""
    SCons.Script.COMMAND_LINE_TARGETS[:] = SCons.Script.BUILD_TARGETS[:] = names


def arguments() -> dict[str, str]:
    """The OPTION=value that were typed, by name."""
    return dict(SCons.Script.ARGUMENTS)


def option(name: Literal["clean", "help", "json", "no_exec"]) -> bool:
    """Whether a switch of the command line was typed."""
    return bool(SCons.Script.GetOption(name))


def add_switch(name: str, help: str) -> None:
    """A switch of the command line besides SCons's own."""
    SCons.Script.AddOption(name, action="store_true", help=help)


def jobs() -> int:
    """How many steps may run at once."""
    return int(SCons.Script.GetOption("num_jobs"))


def show_help(text: str) -> None:
    """Print a text as the help of this run."""
    SCons.Script.Help(text)


class Variable(NamedTuple):
    """An OPTION=value: its default as a text, None if it has none, and how texts are read."""

    name: str
    help: str
    default: object
    convert: Callable[[str], object]


class Values:
    """The values of all variables, from a file of Python and from the command line.

    Attributes:
        by_name: every value but None.
        unknown: names that were given and are no variable's.

    Raises:
        SyntaxError, NameError, ImportError: the file's.
    """

    def __init__(self, file: str, declared: Sequence[Variable]) -> None:
        self._file = file
        self._variables = Variables([file], SCons.Script.ARGUMENTS)
        for each in declared:
            self._variables.Add(each.name, each.help, each.default, converter=each.convert)
        held = SCons.Environment.SubstitutionEnvironment()
        self._variables.Update(held)
        values = {each.name: held.get(each.name) for each in declared}
        self.by_name: dict[str, Any] = {
            name: value for name, value in values.items() if value is not None
        }
        self.unknown = set(self._variables.UnknownVariables())

    def saved(self, name: str) -> str | None:
        """What the file alone gives to a variable, as it stands there."""
        variables = Variables([self._file], {})
        variables.Add(name)
        held = SCons.Environment.SubstitutionEnvironment()
        variables.Update(held)
        return None if held.get(name) is None else str(held[name])

    def save(self, file: str) -> None:
        """Write those that are not their defaults."""
        given = SCons.Environment.SubstitutionEnvironment(**self.by_name)
        self._variables.Save(file, given)


# How SCons goes about its work.


def set_up(env: Environment, jobs: int, digest: Callable[[str], str]) -> None:
    """Look at files by content, on all cores, and say nothing of one's own.

    Args:
        digest: what tells a file's content from others.
    """
    # Global functions such as Default() would make an environment with every compiler's tools.
    SCons.Script.DefaultEnvironment(tools=[])
    SCons.Script.SetOption("num_jobs", jobs)
    # SCons names each file that it removes; a line for the folder will do.
    SCons.Script.SetOption("silent", option("clean"))
    env.Decider("content")
    # Paths are the project's, also where its SConstruct reads one that is elsewhere.
    fs: Any = env.fs
    fs.chdir(fs.Top)

    def signature(node: Any) -> str:
        known = node.get_ninfo()
        if not hasattr(known, "csig"):
            known.csig = digest(str(node)) if node.exists() else hash_signature(NOFILE)
        return str(known.csig)

    SCons.Node.FS.File.get_csig = signature


def remember(env: Environment, name: str, lost: Callable[[str], None]) -> None:
    """Let SCons keep what it knows in a file.

    Args:
        lost: told which file cannot be read; every step runs once then.
    """
    SCons.dblite.IGNORE_CORRUPT_DBFILES = False  # it tells of them by half a traceback
    SCons.Warnings._warningOut = lambda warning: lost(str(warning.args[0]).split(" : ")[-1])
    env.SConsignFile(name, _Database(lost))


class _Database:
    """SCons's own, and a new one in the place of one that cannot be read."""

    def __init__(self, lost: Callable[[str], None]) -> None:
        self._lost = lost

    def open(self, name: str, flag: str = "r", mode: int = 0o666) -> Any:
        try:
            return SCons.dblite.open(name, flag, mode)
        except Exception:  # whatever a pickle may raise
            file = Path(f"{name}.dblite")
            self._lost(str(file))
            file.unlink(missing_ok=True)
            return SCons.dblite.open(name, flag, mode)


class Observer(Protocol):
    """Who is told what SCons does; a node stands for a file that a step makes, or for a goal."""

    def prepared(self) -> None:
        """Something is to be looked at."""

    def may_stay(self, node: Node) -> bool:
        """Whether what was made with it, by inputs that are the same, is still what was made."""
        raise NotImplementedError

    def skipped(self, node: Node) -> None:
        """It is up to date."""

    def taken(self, node: Node) -> None:
        """It came from the cache."""

    def ran(self, node: Node) -> None:
        """Its action was carried out, or would be where nothing is to be."""

    def failed(self, node: Node, cause: BaseException | None, error: BaseException) -> bool:
        """It failed, for `cause` if known; whether that has been shown."""
        raise NotImplementedError


def observe(observer: Observer) -> None:
    """Tell an observer of each node that SCons comes to."""
    SCons.Script.Main.BuildTask = type("BuildTask", (_BuildTask,), {"observer": observer})
    is_up_to_date = SCons.Node.FS.File.is_up_to_date

    def is_still_up_to_date(node: Any) -> bool:
        if not is_up_to_date(node):
            return False
        return not is_made(node) or made_with(node)[0] is not node or observer.may_stay(node)

    SCons.Node.FS.File.is_up_to_date = is_still_up_to_date


class _BuildTask(SCons.Script.Main.BuildTask):  # type: ignore[misc]  # SCons has no types
    """SCons's task, which tells an observer instead of naming files."""

    observer: ClassVar[Observer]

    def prepare(self) -> None:
        self.observer.prepared()
        super().prepare()

    def needs_execute(self) -> bool:
        if SCons.Taskmaster.OutOfDateTask.needs_execute(self):
            return True
        self.observer.skipped(self.targets[0])
        return False

    def execute(self) -> None:
        super().execute()
        if self.targets[0].cached:
            self.observer.taken(self.targets[0])
        else:
            self.observer.ran(self.targets[0])

    def failed(self) -> None:
        error = self.exc_info()[1]
        if isinstance(error, ExplicitExit):
            self.do_failed(error.exitstatus)  # a goal has said all there is to say
        elif self.observer.failed(self.targets[0], cause_of(error), error):
            self.exception = (error, error, None)
            self.do_failed(2)
        else:
            super().failed()


def cause_of(error: Any) -> BaseException | None:
    """What an action raised, of the error that SCons makes of it."""
    cause: BaseException | None = error.exc_info[1] if isinstance(error, BuildError) else error
    return cause


def failures() -> list[BaseException]:
    """What went wrong in this run, once it has ended."""
    return [cause_of(error) or error for error in SCons.Script.GetBuildFailures()]


def forget_the_run() -> None:
    """Let SCons write nothing down of this run."""
    SCons.SConsign.Reset()


class Entries(Protocol):
    """What keeps outputs by their keys, for other runs."""

    def take(self, entry: Path, target: Path) -> bool:
        """Whether `target` was written from an entry."""
        raise NotImplementedError

    def put(self, content: Path, entry: Path) -> None:
        """Make an entry of a file."""


def cache(env: Environment, folder: Path, entries: Entries) -> None:
    """Keep what steps make in a folder, under SCons's keys."""
    env.CacheDir(str(folder), custom_class=type("Cache", (_Cache,), {"entries": entries}))


class _Cache(SCons.CacheDir.CacheDir):  # type: ignore[misc]  # SCons has no types
    """SCons's keys, and entries of our own."""

    entries: ClassVar[Entries]

    def _readconfig(self, path: str) -> None:
        """SCons keeps the length of folders' names in a file, which it locks and may not find."""
        self.config = {"prefix_len": 2}

    def retrieve(self, node: Any) -> bool:
        if not self.is_enabled() or option("no_exec"):
            return False
        if not self.entries.take(Path(self.cachepath(node)[1]), Path(str(node))):
            return False
        besides = step_of(node).besides
        return besides is None or besides(Path(str(node))) is not None

    def push(self, node: Any) -> None:
        if not (self.is_readonly() or not self.is_enabled() or node.nocache):
            self.entries.put(Path(str(node)), Path(self.cachepath(node)[1]))


# What SCons knows of nodes.


def exists(node: Any) -> bool:
    """Whether the file is there."""
    return bool(node.exists())


def action(env: Any, execute: Execution, step: Step | None = None) -> Action:
    """What SCons carries out quietly; of a step, `step_of` then finds it."""
    made: Any = env.Action(execute, None)
    made.step = step
    return made  # type: ignore[no-any-return]  # an object of SCons's


def file_named(path: str) -> Node:
    """The node of a path, made if nobody has named it yet."""
    return SCons.Node.FS.get_default_fs().File(path)  # type: ignore[no-any-return]  # untyped


def is_made(node: Any) -> bool:
    """Whether a step makes this file."""
    file = isinstance(node.disambiguate(), SCons.Node.FS.File)
    return file and bool(node.has_explicit_builder())


def is_file(node: Node) -> bool:
    """Whether a node is a file, not a value or a goal."""
    return isinstance(node, SCons.Node.FS.File)


def signature(node: Any) -> str:
    """The digest of a file that SCons writes down when it is used."""
    return str(node.get_csig())


def is_value(node: Node) -> bool:
    """Whether a node is a value, not a file or a goal."""
    return isinstance(node, SCons.Node.Python.Value)


def made_with(node: Any) -> list[Node]:
    """All that the step of a node makes; the first one stands for the step."""
    found = node.get_executor().get_all_targets()
    # An entry may be a file or a folder, until SCons has to know.
    return [each.disambiguate() for each in found]


def children(node: Any) -> list[Node]:
    """What a node is made from."""
    return list(node.children()) if node.has_builder() else []


def step_of(node: Any) -> Step:
    """The step that makes a node."""
    declared: Step = node.get_executor().get_action_list()[0].step
    return declared


class Remembered:
    """What SCons wrote down when a node was last made."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._info = node.get_stored_info().binfo
        #: Whether it wrote anything down.
        self.is_known = getattr(self._info, "bactsig", None) is not None
        self._before: dict[str, Any] = {}
        if self.is_known:
            info = self._info
            names = [*info.bsources, *info.bdepends, *info.bimplicit]
            signatures = [*info.bsourcesigs, *info.bdependsigs, *info.bimplicitsigs]
            self._before = dict(zip(map(str, names), signatures, strict=False))

    def has(self, child: Node) -> bool:
        """Whether the node was made from this child, too."""
        return str(child) in self._before

    def files(self) -> list[str]:
        """The files that it was made from."""
        kind = SCons.Node.FS.FileNodeInfo
        return [name for name, before in self._before.items() if isinstance(before, kind)]

    def differs(self, child: Any) -> bool:
        """Whether a file's content is another than what it was."""
        return bool(child.get_csig() != self._before[str(child)].csig)

    def is_of_another_action(self) -> bool:
        """Whether the action has changed since."""
        contents = self._node.get_executor().get_contents()
        return bool(self._info.bactsig != hash_signature(contents))
