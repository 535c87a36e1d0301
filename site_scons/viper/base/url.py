# SPDX-License-Identifier: MIT
"""URLs and hosts as people type them."""

from __future__ import annotations

import ipaddress
import re


def without_userinfo(text: str) -> str:
    """A text with the user name and password taken out of every URL in it."""
    return re.sub(r"(\w+://)[^/@\s]*@", r"\1", text)


def is_this_computer(host: str) -> bool:
    """Whether a host, with or without its port or scheme, is this computer by its loopback."""
    name = re.sub(r"^\w+://|(:\d+)?/?$", "", host)
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"
