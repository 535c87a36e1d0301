# SPDX-License-Identifier: MIT
"""The pages themselves: what is a command has its `$`, and what is a page is reached."""

from __future__ import annotations

import re

import pages
from project import ROOT

# A lab is set up on several computers: tests/graph/test_lab.py does what this page says.
_NOT_TYPED = ROOT / "docs/labgrid.md"


def test_every_command_has_its_prompt() -> None:
    typed = (page for page in pages.PAGES if page != _NOT_TYPED)
    assert [line for page in typed for line in pages.without_prompt(page)] == []


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", readme))
    assert linked == {pages.name(page) for page in pages.PAGES} - {"README.md"}
