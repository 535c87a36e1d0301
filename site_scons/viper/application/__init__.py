# SPDX-License-Identifier: MIT
"""What an application says of itself, read before it is sent.

May use: base, source.
"""
