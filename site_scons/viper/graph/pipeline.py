# SPDX-License-Identifier: MIT
"""What a run of the pipeline did, step by step, and the page that it ends in."""

from __future__ import annotations

import datetime
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from viper.base import atomic_file

DONE, STILL_TRUE, FAILED = "done", "still true", "failed"
NOT_REACHED, LEFT_OUT = "not reached", "left out"

LOG_LINES = 200  # of a step, that the record keeps: the last ones
_TEMPLATE = "pipeline.html.j2"


@dataclass
class Step:
    """One step of a run."""

    name: str
    state: str = NOT_REACHED
    seconds: float = 0.0
    why: str = ""  # it failed, or was left out
    log: list[str] = field(default_factory=list)  # what it printed, the last LOG_LINES

    def heard(self, text: str) -> None:
        """Keep what it prints."""
        self.log += text.splitlines()
        del self.log[:-LOG_LINES]


@dataclass
class Run:
    """One run of the pipeline.

    Attributes:
        folder: where pipeline.json and pipeline.html are written.
        steps: in their order.
        facts: what was learned: board, build, MAC, address, versions.
        links: files beside the page that say more, by name.
    """

    folder: Path
    steps: list[Step]
    facts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    started: str = field(
        default_factory=lambda: datetime.datetime.now(datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
    )

    def step(self, name: str) -> Step:
        """A step by its name, which must be one of the run's."""
        return next(step for step in self.steps if step.name == name)

    @property
    def failed(self) -> Step | None:
        """The step that it stopped at."""
        return next((step for step in self.steps if step.state == FAILED), None)

    def line(self) -> str:
        """`build done, flash still true, …`, with the time."""
        states = ", ".join(f"{step.name} {step.state}" for step in self.steps)
        return f"{states}  {sum(step.seconds for step in self.steps):.0f} s"

    def document(self) -> dict[str, Any]:
        """As it stands in pipeline.json."""
        return {
            "started": self.started,
            "steps": [asdict(step) for step in self.steps],
            "facts": self.facts,
        }

    def write(self) -> Path:
        """Write pipeline.json and the page; each is whole at any time.

        Returns:
            The page.
        """
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self.folder.mkdir(parents=True, exist_ok=True)
        page = self.folder / "pipeline.html"
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        links = {name: path for name, path in self.links.items() if (self.folder / path).exists()}
        text = environment.get_template(_TEMPLATE).render(run=self, failed=self.failed, links=links)
        atomic_file.write_json(self.folder / "pipeline.json", self.document())
        atomic_file.write(page, text.encode())
        return page


def versions() -> dict[str, str]:
    """What this computer builds and measures with."""
    from importlib.metadata import version

    return {
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: version(name) for name in ("SCons", "esptool", "mpremote", "pytest")},
    }
