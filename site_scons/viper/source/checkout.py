# SPDX-License-Identifier: MIT
"""Where ViperHTTP's own files are, whatever project they serve.

The working folder is the project's. In this checkout that is the checkout; a project of one's own
has the pinned commit of it below its build folder (see starter/scons).
"""

from __future__ import annotations

import os
from pathlib import Path

from viper.source import pins

#: The folder that site_scons stands in, relative to the working folder at the time of the import.
FOLDER = Path(os.path.relpath(Path(__file__).parents[3]))
#: Whether that is the working folder, in which ViperHTTP itself is worked at.
IS_HERE = Path() == FOLDER

PINS = FOLDER / "nix/pins.json"
#: The pins that `./scons pin` moves: ViperHTTP's are moved in its own checkout.
MOVABLE = pins.MOVABLE if IS_HERE else ("viperhttp",)
