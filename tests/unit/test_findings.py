# SPDX-License-Identifier: MIT
"""What findings/README.md asks of a finding; the long matrices run each, with its pins."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from project import ROOT

FINDINGS = sorted((ROOT / "findings").glob("*.sh"))
INSTALLED = re.compile(r"(?:pip install -q --target \S+|npm install(?: --\S+)*) ([^>]+?)\d?>")
PINNED = re.compile(r'"?[\w.-]+==[\w.$]+"?|@[\w/-]+@\d[\d.]+')


def named(finding: Path) -> str:
    return finding.stem


def head(finding: Path) -> str:
    """What a finding says of itself, without the comment's marks."""
    comment = finding.read_text(encoding="utf-8").partition("\nset -eu\n")[0].splitlines()
    told = comment[2:]  # behind what runs it, and its licence
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in told)


@pytest.mark.parametrize("finding", FINDINGS, ids=named)
def test_it_has_the_form(finding: Path) -> None:
    told = head(finding)
    for part in (r"\A\S.* \d+\.\d.*: ", r"^Expected: ", r"^Happens: ", r"^Seen.*:\n    "):
        assert re.search(part, told, re.M), f"its head has no {part}"
    text = finding.read_text(encoding="utf-8")
    pins = [pin for listed in INSTALLED.findall(text) for pin in listed.replace("\\\n", "").split()]
    assert pins and all(PINNED.fullmatch(pin) for pin in pins), pins
    assert 'cd "$folder"' in text and "viper" not in text, "it stands alone, in its own folder"
    assert os.access(finding, os.X_OK)


def test_there_are_some() -> None:
    assert len(FINDINGS) >= 5


def test_the_table_is_of_those_that_there_are() -> None:
    """Each line has a finding's tool and version, and the name of its script."""
    page = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    lines = page.partition("## Findings")[2].partition("\n## ")[0].splitlines()
    rows = [re.split(r" *\| *", line) for line in lines if re.match(r"\| .*\d\.\d", line)]
    told = [(row[4].split("`")[1], row[1]) for row in rows]
    titles = [(path.stem, re.match(r"\S+ [\d.]+\d(?:-\w+)?", head(path))) for path in FINDINGS]
    assert sorted(told) == [(name, title[0]) for name, title in titles if title]


@pytest.mark.long
@pytest.mark.parametrize("finding", FINDINGS, ids=named)
def test_it_is_still_so(finding: Path) -> None:
    done = subprocess.run([finding], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    for line in done.stdout.splitlines():
        assert f"    {line}" in head(finding).splitlines(), f"not seen before: {line}"
