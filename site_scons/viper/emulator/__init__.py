# SPDX-License-Identifier: MIT
"""A board whose chip Espressif's QEMU emulates: the real image, from the chip's own ROM on.

It is a background process as the virtual board is, with that one's serial port, reset circuit and
control; what it carries is QEMU.

    program                       which QEMU there is, and whether it can be this chip
    command_line, efuses          what it is started with
    qmp, qemu_machine             its monitor; QEMU as the machine that a board carries
    forwarded_port                the port of the page, open while QEMU starts anew
    start                         what callers use; `python -m viper.emulator` is the board itself

May use: base, ports, source, virtual_board.
"""
