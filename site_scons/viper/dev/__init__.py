# SPDX-License-Identifier: MIT
"""A developer's day: the incremental loop, what is connected, what this machine lacks.

May use: base, source, image, ports, virtual_board, emulator, flash.
"""
