# SPDX-License-Identifier: MIT
"""The copy of MicroPython that one of its ports is built in.

ESP-IDF's component manager writes into the project that it configures: it puts components beside
it, and rewrites its lock file. The checkout is the pin and several boards share it, so each of
their boards has a copy. A developer's own tree is copied for the unix port too, by content: what
is edited there, or restored, reaches no build that goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from viper.base.contents import Contents
from viper.firmware import stage
from viper.source import own_tree

_COMPONENTS = "managed_components"  # what the component manager fetches stays


def sync(parts: Mapping[str, Path], tree: Path, port: str, contents: Contents) -> dict[str, str]:
    """Make `tree` the same as its sources, writing only what differs.

    Args:
        parts: the folder that is copied to each path in the tree; "" for all of it.
        port: "unix" or "esp32".

    Returns:
        The digest of each file, by its path in the tree.

    Raises:
        UserError: something cannot be read.
        OSError: it cannot be written.
    """
    originals, digests = {}, {}
    for where, folder in parts.items():
        for name, digest in own_tree.find(folder, port, contents).files.items():
            path = f"{where}/{name}" if where else name
            originals[path] = f"{folder}/{name}"
            digests[path] = digest
    return stage.sync(tree, originals, digests, contents, but={_COMPONENTS})
