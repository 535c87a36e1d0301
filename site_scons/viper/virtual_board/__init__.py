"""A virtual ESP32-S3 board: a background process that tools take for a board on a serial port.

It owns a NOR flash file, speaks the chip's serial loader protocol on an RFC 2217 port, follows DTR
and RTS as the reset circuit of a development board does, and boots what was flashed and nothing
else. `control` is what callers use; `python -m viper.virtual_board` is the board itself.

    nor_flash, chip_page      the flash chip, and what its faults and counters live in
    chip, registers           what the chip is, and the registers the loaders can reach
    slip, loader_protocol     packets;  rom_loader, stub_loader: the two programs that answer them
    rfc2217, serial_port      the port's protocol, and the one client it serves
    line_rate                 one direction of the line, held to the baud rate when asked
    reset_circuit             EN and IO0 from RTS and DTR
    bootloader, payload       from flash to a running process
    board                     the whole of it
    state, console_log        board.json; what the board printed
    tcp_table, http_port      who is behind a TCP port; the one that a board is reached by
    control, control_server   what callers may ask, and what answers them

May use: base, image, ports.
"""
