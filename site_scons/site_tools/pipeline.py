"""From sources to a verdict: the other goals' actions as nodes, each after the one before it.

Adds to the environment:
    env.Pipeline(image, record, *steps)  the page that a run ends in

A step's node is a stamp in build/<BOARD>/pipeline/ that says what is true since the step was done.
A step that asks the device is done each time, for only the device knows; one that takes long and
depends on nothing but its inputs is done when one of them has changed. What a step prints is its
log; when one fails, the page is written before SCons is told.
"""

import atexit
import json
import time
from contextlib import ExitStack
from pathlib import Path

import SCons.Script
from SCons.Errors import BuildError
from viper.base import atomic_file, console
from viper.base.errors import UserError, exits, nearest
from viper.graph import pipeline

_GOAL = "pipeline"
_BUILD = "build"
_LEARNED = ("mac", "build", "host")  # of what the device has told
_LAST_LINES = 3  # of the log, that a failed step is told with


def exists(env):
    return True


def generate(env):
    env.AddMethod(exits(declare), "Pipeline")


def declare(env, image, record, *steps):
    """Declare the nodes of the steps that are wanted, if this is what was typed.

    Args:
        image: the nodes of the build, which is the first step.
        record: the build's record.
        steps: (name, action) of those that ask the device, and (name, action, input, ...) of
            those that are still true while their inputs, folders or nodes, are what they were.
    """
    if _GOAL not in SCons.Script.COMMAND_LINE_TARGETS:
        return []
    run = env["PIPELINE"] = _Pipeline(env, [_BUILD, *(name for name, *_ in steps)])
    before = run.node(env, _BUILD, image, env.Deed(run.built, record))
    for name, action, *inputs in steps:
        if run.wanted(name):
            before = run.node(env, name, [before, record, *map(_files, inputs)], action)
            if not inputs:
                env.AlwaysBuild(before)
    page = env.Command(run.page, before, env.Deed(run.end))
    env.AlwaysBuild(page)
    env.NoCache(page)
    return page


class _Pipeline:
    """The run that was typed, and how its nodes tell it what they did."""

    def __init__(self, env, names):
        self._run = pipeline.Run(Path(env["BUILD_DIR"]), [pipeline.Step(name) for name in names])
        self._run.links["performance"] = "perf.html"
        self._run.facts["board"] = f"{env['BOARD']} at PORT={env['PORT']}"
        self._run.facts.update(pipeline.versions())
        self._stamps = self._run.folder / "pipeline"
        self._actions = {}
        self._began = time.monotonic()
        self._told = False
        self.page = [self._run.folder / "pipeline.html", self._run.folder / "pipeline.json"]
        for name, why in _left_out(env, names).items():
            step = self._run.step(name)
            step.state, step.why = pipeline.LEFT_OUT, why
        # The nodes of the build are not ours: what they print until the next step is their log.
        self._building = ExitStack()
        self._building.enter_context(console.copied(self._run.step(_BUILD).heard))
        atexit.register(self._build_failed)

    def wanted(self, name):
        return self._run.step(name).state != pipeline.LEFT_OUT

    def node(self, env, name, sources, action):
        """The stamp of a step."""
        self._actions[name] = action

        # A closure would be part of the signature, and no two runs have the same objects.
        def execute(target, source, env, name=name):
            env["PIPELINE"].carry_out(env, name, target, source)

        stamp = env.Command(f"{self._stamps}/{name}.json", sources, env.Action(execute, None))
        env.NoCache(stamp)
        return stamp

    def carry_out(self, env, name, target, source):
        """Do a step, and write its stamp."""
        self._perform(env, self._run.step(name), target, source)
        told = {key: env["LEARNED"][key] for key in _LEARNED if key in env["LEARNED"]}
        self._run.facts.update(told)
        atomic_file.write_json(Path(str(target[0])), {"step": name, **told})

    def built(self, env, record):
        """The build is done, all nodes of it."""
        build = json.loads(record.read_text(encoding="utf-8"))["build"]
        self._run.facts["build"] = build

    def end(self, env):
        """All steps are true: the page says so."""
        self._building.close()
        self._passed_by(self._run.steps)
        for path in sorted(self._stamps.glob("*.json")):
            for key, value in json.loads(path.read_text(encoding="utf-8")).items():
                if key in _LEARNED:
                    self._run.facts.setdefault(key, value)
        self._told = True
        console.step("PIPELINE", f"{self._run.line()}, {self._run.write()}")

    def _perform(self, env, step, target, source):
        """Do what a goal's action does, and keep what it prints."""
        if step.name != _BUILD:
            self._building.close()
            self._began = time.monotonic()
            console.note(f"== {step.name}")
        ran = env["RUN"].steps_run
        try:
            with console.copied(step.heard):
                for part in SCons.Script.Flatten([self._actions[step.name]]):
                    _execute(part, target, source, env)
        except BaseException as problem:
            if isinstance(problem, UserError):
                step.heard(f"error: {problem}")
            self._failed(step, _reason(step, problem))
            raise
        step.seconds = time.monotonic() - self._began
        unchanged = step.name in ("flash", "sync") and env["RUN"].steps_run == ran
        step.state = pipeline.STILL_TRUE if unchanged else pipeline.DONE

    def _passed_by(self, steps):
        """Of these, those that SCons did not come to are up to date."""
        for step in steps:
            if step.state == pipeline.NOT_REACHED:
                step.state = pipeline.STILL_TRUE
                since = (self._stamps / f"{step.name}.json").stat().st_mtime
                step.why = f"since {time.strftime('%Y-%m-%d %H:%M', time.localtime(since))}"

    def _failed(self, step, why):
        step.state, step.why = pipeline.FAILED, why
        self._passed_by(self._run.steps[: self._run.steps.index(step)])
        step.seconds = time.monotonic() - self._began
        self._told = True
        page = self._run.write()
        console.step("STOPPED", f"at {step.name}; its last lines, and {page} has more:")
        for line in [line for line in step.log if line.strip()][-_LAST_LINES:]:
            console.note(f"  | {line}")

    def _build_failed(self):
        """At the end of SCons: a node of the build may have failed, which is none of the stamps."""
        self._building.close()
        failures = SCons.Script.GetBuildFailures()
        if failures and not self._told:
            cause = failures[0]
            error = getattr(cause, "exc_info", (None, None))[1] or cause
            self._failed(self._run.step(_BUILD), _one_line(error))


def _files(name):
    """The files of a folder, to which a cache does not belong; anything else as it is."""
    if not isinstance(name, str):
        return name
    files = sorted(path for path in Path(name).rglob("*") if path.is_file())
    return [str(path) for path in files if "__pycache__" not in path.parts]


def _left_out(env, names):
    """Why steps are not declared, by their names: UNTIL and SKIP."""
    until = env.get("UNTIL")
    skip = [name for name in env.get("SKIP", "").split(",") if name]
    for name in [*skip, *([until] if until else [])]:
        if name not in names:
            raise UserError(
                f"the pipeline has no step '{name}'{nearest(name, names)}",
                f"its steps: {', '.join(names)}",
            )
    if _BUILD in skip:
        raise UserError("the pipeline cannot skip build", "name the goals themselves instead")
    reasons = {name: f"SKIP={env['SKIP']}" for name in skip}
    if until:
        reasons.update(dict.fromkeys(names[names.index(until) + 1 :], f"UNTIL={until}"))
    return reasons


def _execute(action, target, source, env):
    """Carry out an action; what it raises comes as it is."""
    result = action(target, source, env)
    if isinstance(result, BuildError):
        raise result.exc_info[1] or result


def _reason(step, problem):
    """Why a step failed, on one line."""
    if not isinstance(problem, SystemExit):
        return _one_line(problem)
    told = [line for line in step.log if line.startswith(("worse", "over the limit"))]
    return "; ".join(told) or f"exit status {problem.code}"


def _one_line(problem):
    return "; ".join(line.strip() for line in str(problem).splitlines()) or type(problem).__name__
