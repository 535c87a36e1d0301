# SPDX-License-Identifier: MIT
"""Handlers of URLs as pyserial looks for them: a module `protocol_<scheme>` each."""
