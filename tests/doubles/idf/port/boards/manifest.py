# SPDX-License-Identifier: MIT
# Python that MicroPython freezes into every board; none here.
