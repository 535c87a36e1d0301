# SPDX-License-Identifier: MIT
"""A virtual ESP32-S3 board: a background process that tools take for a board on a serial port.

It carries a virtual chip, follows DTR and RTS as the reset circuit of a development board does, and
boots what was flashed and nothing else. `control` is what callers use; `python -m
viper.virtual_board` is the board itself.

    rfc2217, serial_port      the port's protocol, and the one client it serves
    line_rate                 one direction of the line, held to the baud rate when asked
    reset_circuit             EN and IO0 from RTS and DTR
    machine                   what a board carries, as the board sees it
    virtual_machine, payload  the virtual chip as such a machine; the application that runs
    board, background         the whole of it; its process
    state, console_log        board.json; what the board printed
    tcp_table, http_port      who is behind a TCP port; the one that a board is reached by
    control, control_server   what callers may ask, and what answers them

May use: base, ports, virtual_chip.
"""
