# SPDX-License-Identifier: MIT
"""Work on a device as a whole: flash, sync, backup, repartition, a new application.

May use: base, image, ports, device, flash, sync.
"""
