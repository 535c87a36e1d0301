# SPDX-License-Identifier: MIT
"""The picture of the graph: folded so that thousands of files are still a page."""

from __future__ import annotations

from viper.graph import page, why
from viper.graph.why import Step


def step(tag: str, name: str, sources: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Step:
    return Step(tag, (name,), sources, after, (), ())


def test_thousands_of_files_are_two_boxes() -> None:
    assets = [
        step("GZIP", f"build/B/www/{n}.gz", (f"assets/www/{n // 100}/{n}",)) for n in range(5000)
    ]
    manifest = step("ASSETS", "build/B/www.json", after=tuple(s.name for s in assets))
    graph = page.dot([*assets, manifest], [], {s.name: 0.01 for s in assets})
    assert graph.count("[label=") == 3 and graph.count("->") == 2
    assert "5000 files" in graph and "50.0 s" in graph


def test_names_that_mean_something_to_graphviz_are_texts() -> None:
    graph = page.dot([step("GZIP", 'a"b\\c', ("x",))], [], {})
    assert '"GZIP a\\"b\\\\c"' in graph


def test_lines_of_a_table_that_differ() -> None:
    before = list(range(10))
    assert why.changed_lines(before, [*before[:5], 99, *before[6:]]) == " line 6"
    assert why.changed_lines(before, [77, 78, *before[2:9]]) == " lines 1-2, 10"
    assert why.changed_lines(before, before) == ""
    assert why.changed_lines([], before) == ""
