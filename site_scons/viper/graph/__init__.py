# SPDX-License-Identifier: MIT
"""What the graph knows of its steps: inputs, cache, history, reasons, sizes, pictures.

May use: base, source, image, firmware.
"""
