# SPDX-License-Identifier: MIT
"""Work on the device at PORT: what viper.flash does, as a goal asks for it and tells of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viper.base import console
from viper.base.console import human_mac, human_size
from viper.base.errors import UserError
from viper.ports import port

from toolkit import device, scons
from toolkit.run import Run

if TYPE_CHECKING:
    from viper.flash.jobs import FlashResult
    from viper.sync.transfer import Choices

_ROOT = Path()
_MANY = 20  # files that are named one by one


def work(run: Run, index: Path, goal: str, **more: Any) -> FlashResult:
    """Do a goal of viper.flash.jobs with the image that `index` describes."""
    from viper.flash import device_stamp
    from viper.flash.jobs import FlashRequest, flash
    from viper.update import backup

    record = index.with_name("firmware.json")
    return flash(
        FlashRequest(
            port=run.options.PORT,
            url=device.serial_url(run, makes=goal in ("flash", "restore")),
            baud=run.options.BAUD,
            image=index,
            root=_ROOT,
            stamps=device_stamp.FOLDER,
            backups=backup.default_root(),
            build=json.loads(record.read_text(encoding="utf-8"))["build"],
            goal=goal,
            delete_extras=run.options.SYNC_DELETE,
            theirs=run.options.THEIRS or "",
            space=run.options.SPACE or "",
            **more,
        )
    )


def show(run: Run, index: Path, result: FlashResult) -> None:
    """Show what it changed, a line to each, and count it."""
    for part in result.parts:
        if part.action == "written":
            # Written only where it said otherwise: an update over the network had set it.
            boots = ": factory boots" if part.name == "otadata" else ""
            console.step("FLASH", f"{part.name}  {sectors(part)}{boots}")
    for path in result.files_sent:
        console.step("SEND", path)
    for old, new in result.files_moved:
        console.step("MOVE", f"{old} → {new}")
    for path in result.files_deleted:
        console.step("DELETE", path)
    show_theirs("KEEP", result)
    if result.put_back:
        console.step("RESTORE", "vfs  as it was before a sync that was cut off")
    if result.carried:
        console.step("KEEP", f"{result.carried} files of the device, verified")
    sum_up(run, index, result)


def show_theirs(tag: str, result: FlashResult) -> None:
    """The files that stay because they are the user's, where that may be a surprise."""
    for path in result.kept:
        console.step(tag, f"{path}  stays as the device has it")
    for path in result.others[:_MANY]:
        console.step(tag, f"{path}  is the device's own, and stays")
    if len(result.others) > _MANY:
        console.step(tag, f"{len(result.others) - _MANY} more of the device's own stay")


def choices(run: Run) -> Choices:
    """What the user has decided of a sync."""
    from viper.sync import theirs
    from viper.sync.transfer import Choices

    options = run.options
    return Choices(theirs.parse(options.THEIRS or ""), options.SYNC_DELETE, options.SPACE or "")


def sum_up(run: Run, index: Path, result: FlashResult) -> FlashResult:
    """Count what it changed, and see that a board on this computer serves its page."""
    summary = run.summary
    if result.changed:
        summary.ran()
    else:
        summary.skipped()
    contents = json.loads(index.read_text(encoding="utf-8"))["files"]
    sent = sum(contents[path]["size"] for path in result.files_sent)
    summary.wrote(result.bytes_written + sent)
    if result.host:
        summary.url = f"http://{result.host}/"
    elif device.is_here(run):
        summary.url = device.wait_until_served(run)
    return result


def whose(result: FlashResult) -> str:
    """The device that it was done to, by its MAC."""
    return human_mac(result.mac) if result.mac else ""


def sectors(part: Any) -> str:
    """`3 sectors, 12 KiB` of a part."""
    plural = "" if part.sectors == 1 else "s"
    return f"{part.sectors} sector{plural}, {human_size(part.size)}"


def on_each(run: Run, goal: str, work: Callable[[Run], FlashResult]) -> None:
    """Do the same for every device that PORT names, at the same time.

    A line for each device tells its result, or why it failed.
    """
    from viper.device import fleet

    if "HTTP_PORT" in scons.arguments():
        raise UserError(f"HTTP_PORT={run.options.HTTP_PORT} is for one board", "leave it out")

    def tell(outcome: fleet.Outcome[FlashResult]) -> None:
        if outcome.error is not None:
            console.step("FAILED", f"{outcome.port}  {outcome.error.what}")
        if outcome.result is None:
            return
        figure = human_size(outcome.result.bytes_on_wire)
        what = f"{figure} sent" if outcome.result.changed else "nothing to write"
        console.step(goal.upper(), f"{outcome.port}  {what}, {outcome.seconds:.1f} s")

    def alone(member: str) -> FlashResult:
        options = dataclasses.replace(run.options, PORT=member)
        return work(dataclasses.replace(run, options=options))

    outcomes = fleet.work(port.split(run.options.PORT), alone, tell)
    failed = [outcome.port for outcome in outcomes if outcome.error is not None]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(outcomes)} devices failed: {', '.join(failed)}",
            port.typed(goal, ",".join(failed)),
        )
