"""Several devices at once: PORT=a,b,c.

Adds to the environment, for the actions of other tools:
    env.IsFleet()          whether PORT names more than one device
    env.Fleet(goal, work)  work(env), whose PORT is one device's, for all of them at the same time
"""

import SCons.Script
from viper.base import console
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.device import fleet
from viper.ports import port


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: len(port.split(env["PORT"])) > 1, "IsFleet")
    env.AddMethod(_fleet, "Fleet")


def _fleet(env, goal, work):
    """The work returns a FlashResult; a line for each device tells it, or why it failed."""
    if "HTTP_PORT" in SCons.Script.ARGUMENTS:
        raise UserError(f"HTTP_PORT={env['HTTP_PORT']} is for one board", "leave it out")

    def tell(outcome):
        if outcome.error is not None:
            console.step("FAILED", f"{outcome.port}  {outcome.error.what}")
            return
        figure = human_size(outcome.result.bytes_on_wire)
        what = f"{figure} sent" if outcome.result.changed else "nothing to write"
        console.step(goal.upper(), f"{outcome.port}  {what}, {outcome.seconds:.1f} s")

    outcomes = fleet.work(
        port.split(env["PORT"]), lambda each: work(env.Override({"PORT": each})), tell
    )
    failed = [outcome.port for outcome in outcomes if outcome.error is not None]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(outcomes)} devices failed: {', '.join(failed)}",
            port.typed(goal, ",".join(failed)),
        )
