# SPDX-License-Identifier: MIT
"""An ESP32-S3 with its flash chip, as those see it who talk to it over its serial line.

    chip, registers           what it is, and the registers that its loaders can reach
    nor_flash, shared_page    the flash chip, and what its faults and counters live in
    slip, loader_protocol     packets;  rom_loader, stub_loader: the two programs that answer them
    bootloader                from reset to the application that is to run

May use: base, image.
"""
