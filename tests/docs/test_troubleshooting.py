# SPDX-License-Identifier: MIT
"""The page on trouble has every message that the project can give, and no other."""

from __future__ import annotations

import messages
from project import ROOT

PAGE = ROOT / "docs/troubleshooting.md"
NOT_OURS = ("What a device prints", "What a server answers")  # said by others, or in HTTP
OURS = [section for section in messages.sections(PAGE) if section not in NOT_OURS]


def test_every_message_is_explained() -> None:
    entries = [entry for _, entry in messages.entries(PAGE, OURS)]
    unexplained = [
        f"{message.where}: {message.text.replace(messages.HOLE, '<…>')}"
        for message in messages.of_sources()
        if not any(messages.explains(entry, message) for entry in entries)
    ]
    assert unexplained == [], f"these are not in {PAGE.name}"


def test_every_entry_is_a_message() -> None:
    said = messages.of_sources()
    unsaid = [
        f"{PAGE.name}:{number}: {entry}"
        for number, entry in messages.entries(PAGE, OURS)
        if not any(messages.explains(entry, message) for message in said)
    ]
    assert unsaid == [], "nothing gives these"


def test_an_entry_says_what_it_is_about() -> None:
    """One of holes alone would explain everything."""
    for number, entry in messages.entries(PAGE, OURS):
        assert len("".join(messages.fixed(entry))) >= 8, f"{PAGE.name}:{number}: {entry}"


def test_what_doctor_looks_at_is_explained() -> None:
    explained = {entry for _, entry in messages.entries(PAGE, [""])}
    assert messages.doctors_subjects() <= explained
