# SPDX-License-Identifier: MIT
"""One device as it runs: its console and REPL, its pages and endpoints, its health.

May use: base, source, image, ports.
"""
