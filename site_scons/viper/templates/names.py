# SPDX-License-Identifier: MIT
"""What templates and the modules made of them are called."""

from __future__ import annotations


def module_name(template: str) -> str:
    """The module on the device for a template's name: "users/list.html" is users_list_html.

    viperhttp.templates has the same rule.
    """
    return "".join(c if c.isalpha() or c.isdigit() else "_" for c in template)


def is_part(template: str) -> bool:
    """Whether a template is there for others to include or extend: its file begins with "_"."""
    return template.rpartition("/")[2].startswith("_")
