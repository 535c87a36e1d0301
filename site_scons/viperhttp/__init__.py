# SPDX-License-Identifier: MIT
"""What a project of one's own imports on the computer: viperhttp.testing."""
