# SPDX-License-Identifier: MIT
"""What runs before anything of the user's: MicroPython takes a frozen boot.py first.

It tells what a person has to know of this start, ends a sync that was cut off, stops at the prompt
if the computer has asked for that, and else runs the /boot.py that lies in the file system.
"""

import os

import start_mark
import start_report
import sync_switch

try:
    import viperhttp_overlay
except ImportError:  # an image for the board itself
    pass
else:
    viperhttp_overlay.tell()
    del viperhttp_overlay
start_report.tell()
sync_switch.complete_at_start()
start_mark.obey()
try:
    os.stat("/boot.py")
except OSError:
    pass
else:
    # It finds the names that it would find without us.
    del os, start_mark, start_report, sync_switch
    execfile("/boot.py")  # noqa: F821  # MicroPython has it
