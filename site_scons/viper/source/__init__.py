# SPDX-License-Identifier: MIT
"""What is built from: boards, pins, MicroPython and ESP-IDF as they are fetched and found.

May use: base.
"""
