"""What findings/README.md asks of a finding; the long matrices run each, with its pins."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

FINDINGS = sorted((ROOT / "findings").glob("*.py"))


def named(finding: Path) -> str:
    return finding.stem


@pytest.mark.parametrize("finding", FINDINGS, ids=named)
def test_it_has_the_form(finding: Path) -> None:
    module = ast.parse(finding.read_text(encoding="utf-8"))
    told = ast.get_docstring(module) or ""
    for part in (
        r"^\S.* \d+\.\d.*: ",
        r"^Expected: ",
        r"^Happens: ",
        r"^Seen with Python .*:\n    ",
    ):
        assert re.search(part, told, re.M), f"its docstring has no {part}"
    pins = re.findall(r"^PINS = (.*)$", finding.read_text(encoding="utf-8"), re.M)
    assert pins and all("==" in pin for pin in ast.literal_eval(pins[0]))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names, "it stands alone"


def test_the_table_is_of_those_that_there_are() -> None:
    """A tool and its version, of each line, are those of a finding."""
    page = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    lines = page.partition("## Findings")[2].partition("\n## ")[0].splitlines()
    tools = [line.split("|")[1].strip() for line in lines if re.search(r"\d\.\d", line)]
    titles = [re.match(r'"""(\S+ [\d.]+)', path.read_text(encoding="utf-8")) for path in FINDINGS]
    assert sorted(tools) == sorted(title[1] for title in titles if title)


@pytest.mark.long
@pytest.mark.parametrize("finding", FINDINGS, ids=named)
def test_it_is_still_so(finding: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(finding)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    told = ast.get_docstring(ast.parse(finding.read_text(encoding="utf-8"))) or ""
    for line in done.stdout.splitlines():
        assert re.search(rf"^    {re.escape(line.strip())}", told, re.M), f"not seen before: {line}"
