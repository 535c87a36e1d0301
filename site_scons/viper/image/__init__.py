# SPDX-License-Identifier: MIT
"""What a flash chip holds, as bytes: partition table, applications, file systems, assets.

May use: base, source.
"""
