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
INSTALLED = re.compile(r"pip install -q --target \S+ (.*?)\s*(?:\\\n|2>)", re.DOTALL)


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
    pins = [pin for listed in INSTALLED.findall(text) for pin in listed.split()]
    assert pins and all("==" in pin for pin in pins)
    assert 'cd "$folder"' in text and "viper" not in text, "it stands alone, in its own folder"
    assert os.access(finding, os.X_OK)


def test_there_are_some() -> None:
    assert len(FINDINGS) >= 5


def test_the_table_is_of_those_that_there_are() -> None:
    """A tool and its version, of each line, are those of a finding."""
    page = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    lines = page.partition("## Findings")[2].partition("\n## ")[0].splitlines()
    tools = [line.split("|")[1].strip() for line in lines if re.search(r"\d\.\d", line)]
    titles = [re.match(r"\S+ [\d.]+\d", head(path)) for path in FINDINGS]
    assert sorted(tools) == sorted(title[0] for title in titles if title)


@pytest.mark.long
@pytest.mark.parametrize("finding", FINDINGS, ids=named)
def test_it_is_still_so(finding: Path) -> None:
    done = subprocess.run([finding], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    for line in done.stdout.splitlines():
        assert f"    {line}" in head(finding).splitlines(), f"not seen before: {line}"
