# SPDX-License-Identifier: MIT
"""From MicroPython and our sources to an application, by either of its ports.

May use: base, source, image.
"""
