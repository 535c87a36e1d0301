# SPDX-License-Identifier: MIT
"""The library under the build graph: plain typed Python that knows nothing of SCons."""
