# SPDX-License-Identifier: MIT
"""What the console tells at a start before anything of the user's: what this device lacks, and
that it was reset, where the server stood still. Each such reset is told of once.
"""

import _viperhttp


def tell():
    """Prints it."""
    lack = _viperhttp.memory_lack()
    if lack is not None:
        print("viperhttp: %s" % lack)
    stall = _viperhttp.stall()
    if stall is not None and not stall[3]:
        print(
            "viperhttp: reset, for the server stood still at '%s', %d ms after its start (%d since"
            " the power came)" % stall[:3]
        )
