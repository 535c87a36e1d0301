# SPDX-License-Identifier: MIT
"""Holding a place of a lab, as long as its input is open.

`python -m viper.ports.labgrid_keeper PLACE`

It prints one line once it has the place, {"url": "rfc2217://…", "ours": true}. A process of its own
outlives a build that is killed, and releases the place then too.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from viper.base.errors import exits
from viper.ports import labgrid_client, port


@exits
def main() -> None:
    """Hold the place that argv names."""
    place = sys.argv[1]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # and so through what releases it
    with (
        port.lock(f"labgrid:{place}", called=labgrid_client.called(place), pid=os.getppid()),
        labgrid_client.acquired(place) as (url, ours),
    ):
        print(json.dumps({"url": url, "ours": ours}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
