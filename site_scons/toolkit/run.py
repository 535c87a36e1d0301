# SPDX-License-Identifier: MIT
"""The state of a run of the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base.build_lock import BuildLock
from viper.base.contents import Contents
from viper.firmware.toolchain import Toolchains
from viper.graph import why
from viper.graph.outputs import Outputs
from viper.graph.step_log import StepLog
from viper.graph.summary import RunSummary
from viper.source.board import Board
from viper.source.module_settings import Value
from viper.source.project import Project
from viper.source.tree import Trees

from toolkit.options import Options
from toolkit.scons import Node, Values
from toolkit.step import Step
from toolkit.task import Task

if TYPE_CHECKING:
    from viper.graph.web_assets import Shared


@dataclass(frozen=True)
class Goal:
    """What a person types: the files that it builds, and what it then does.

    Attributes:
        group: the heading that it stands under in the help.
        help: one line.
        nodes: what is built for it.
        before: what is done first, once they are there: the tasks of another goal.
        task: what is done then, each time it is typed; None if it only builds.
    """

    group: str
    help: str
    nodes: tuple[Node, ...] = ()
    before: tuple[Task, ...] = ()
    task: Task | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All that is done, in turn."""
        return self.before if self.task is None else (*self.before, self.task)


@dataclass
class Run:
    """One run of the graph: what was typed, what is declared, and what has come of it so far.

    Attributes:
        given: the options as they were typed, to be kept.
        options: as they count in this run.
        board: the description of the board, with the options that override it.
        summary: the counts of its last line.
        log: what its steps were made from.
        contents: what files hold.
        trees: what folders hold.
        outputs: what its steps have made.
        toolchains: the compilers that there are.
        steps: every step, by what its result depends on besides files.
        goals: every goal, by its name.
        default: the goal of those who type none.
        asked: what `why` is asked about; nothing for the default.
        answered: the questions that were typed and are answered while another builds.
        doing: the node of the last goal that does something: the next one waits for it.
        first: what is looked at before anything is built, as it costs nothing.
        packages: the locks in requirements/ that the goals which were typed need.
        learned: what the device has told: its mac, build and host.
        is_kept: whether the next run is to know of it.
        tell: prints the last line, once.
        others_changed: by the step that read them, files of the system that are not what they were.
        shared: what is shared with other clones by CACHE; None if nothing is.
        project: whose graph it is; what is before it in SConstruct does not know.
        lock: the build folder's; None where nothing is built, for the help.
    """

    given: Values
    options: Options
    board: Board
    summary: RunSummary
    log: StepLog
    contents: Contents
    trees: Trees
    outputs: Outputs
    toolchains: Toolchains
    lock: BuildLock | None
    project: Project = field(init=False)
    default: str = ""
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    doing: list[Node] = field(default_factory=list)
    first: list[Callable[[Run], object]] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    learned: dict[str, str] = field(default_factory=dict)
    others_changed: dict[str, list[str]] = field(default_factory=dict)
    shared: Shared | None = None
    is_kept: bool = True
    tell: Callable[[], None] = lambda: None

    @property
    def folder(self) -> Path:
        """Where the outputs of this board are."""
        return Path("build", self.board.build_name)

    @property
    def other_build(self) -> str:
        """Who else builds here now; empty if this run may."""
        return self.lock.holder if self.lock is not None else ""

    @property
    def module_settings(self) -> dict[str, Value]:
        """The settings of the C module, by macro."""
        gzip = self.board.gzip
        return {
            **self.board.viperhttp,
            "VHTTP_GZIP_ENABLED": gzip.enabled,
            "VHTTP_GZIP_LEVEL": gzip.level,
            "VHTTP_GZIP_MIN_SIZE": gzip.min_size,
        }

    @property
    def typed_by_default(self) -> str:
        """The goal where none is typed: `diff=…`, `why=…` and `new=…` alone say what is meant."""
        questions = (
            name for name in ("diff", "why", "new") if getattr(self.options, name) is not None
        )
        return next(questions, self.default)

    def not_to_stay(self, step: str) -> list[str]:
        """Why what a step has made is made anew, whatever its inputs say."""
        spoilt = self.outputs.spoilt(step)
        reasons = why.file_changes(spoilt, "was changed after it was made", "were changed since")
        if self.outputs.is_overtaken(step):
            reasons.append(f"an input of {Path(step).name} was changed while it was made")
        return reasons + why.file_changes(self.others_changed.get(step, ()), "changed", "changed")

    def keep(self) -> None:
        """Write down what the next run is to know, as far as it is new."""
        if self.is_kept:
            self.log.save()
            self.outputs.keep()
            self.trees.keep()
            self.toolchains.keep()
            self.contents.keep()

    def release(self) -> None:
        """Let others build, while this run goes on with something that builds nothing."""
        if self.lock is not None:
            self.lock.release()

    def give_way(self) -> None:
        """The same, for a program that has the last word."""
        self.release()
        self.tell()
