# SPDX-License-Identifier: MIT
"""Fuzz targets of viperhttp's core: `python -m tests.fuzz SECONDS` runs each for so long."""
