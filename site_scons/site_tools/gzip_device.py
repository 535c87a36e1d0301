"""A device makes the compressed siblings of its own files.

Adds to the environment:
    env.GzipDevice(folder)  an action that runs gzip_static on a folder of the device
"""

from viper.base.console import human_size, step
from viper.base.errors import UserError
from viper.ports import port


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env, folder: env.Deed(lambda env: _compress(env, folder)), "GzipDevice")


def _compress(env, folder):
    from viper.update import gzip_device

    settings = env["BOARD_TOML"].gzip
    if not settings.enabled:
        raise UserError(f"BOARD={env['BOARD']} ships nothing compressed", "give GZIP_ENABLED=1")
    if port.parse(env["PORT"]).board is not None:
        env.RunningBoard()
    done = gzip_device.compress(
        gzip_device.Request(env["PORT"], env.SerialUrl(), folder, settings.min_size, settings.level)
    )
    counts = f"{done.made} made, {done.fresh} fresh, {done.skipped} skipped, {done.removed} removed"
    sizes = f"{human_size(done.bytes_in)} to {human_size(done.bytes_out)}"
    step("GZIP", f"{folder}  {counts}, {sizes}")
    env["RUN"].wrote(done.bytes_out)
