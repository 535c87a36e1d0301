# SPDX-License-Identifier: MIT
"""A chip's flash: what differs, how it is written, what is remembered of it.

May use: base, image, ports.
"""
