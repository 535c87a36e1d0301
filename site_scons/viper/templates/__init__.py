# SPDX-License-Identifier: MIT
"""Jinja templates, compiled on this computer into Python for the device.

May use: base.
"""
