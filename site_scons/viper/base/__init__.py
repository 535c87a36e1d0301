# SPDX-License-Identifier: MIT
"""What every other wing stands on: errors, console, processes, locks, files written whole.

May use: none.
"""
