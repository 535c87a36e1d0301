# SPDX-License-Identifier: MIT
"""What PORT can be: devices of Linux and Windows, addresses, places of a lab.

May use: base.
"""
