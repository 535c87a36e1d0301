# SPDX-License-Identifier: MIT
"""The double's parts; see the README beside export.sh."""
