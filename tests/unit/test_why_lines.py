# SPDX-License-Identifier: MIT
"""What `./scons why` says: a line for each step, and a last one that counts them."""

from __future__ import annotations

import pytest
from viper.graph import why
from viper.graph.why import Step

BUILD = "build/BOARD"


def step(
    name: str, reasons: tuple[str, ...] = (), awaits: tuple[str, ...] = (), tag: str = "GZIP"
) -> Step:
    return Step(tag, (f"{BUILD}/{name}", f"{BUILD}/more"), (), awaits, reasons, awaits)


def test_the_first_and_the_last_line() -> None:
    told = why.lines(
        [
            step("www.json", ("a.js changed", "zlib 1 → 2"), tag="ASSETS"),
            step("files.json", awaits=(f"{BUILD}/www.json",), tag="FILES"),
            step("vfs.img", ("its options, code or tools changed",), (f"{BUILD}/files.json",)),
            step("app.bin"),
            step("table.bin"),
            step("boot.bin"),
            step("flash.bin", awaits=(f"{BUILD}/vfs.img",), tag="FLASHIMG"),
        ],
        BUILD,
    )
    assert told == [
        "ASSETS   www.json: a.js changed; zlib 1 → 2",
        "FILES    files.json: may change with www.json",
        "GZIP     vfs.img: its options, code or tools changed; may change with files.json",
        "FLASHIMG flash.bin: may change with vfs.img",
        "2 steps would run, 2 may follow, 3 are up to date",
    ]


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        ([step("a"), step("b")], "all 2 steps are up to date"),
        ([step("a", ("b is new",))], "1 step would run, 0 may follow, 0 are up to date"),
        (
            [step("a"), step("b", awaits=(f"{BUILD}/a",))],
            "0 steps would run, 1 may follow, 1 are up to date",
        ),
    ],
)
def test_the_last_line_counts(steps: list[Step], last: str) -> None:
    assert why.lines(steps, BUILD)[-1] == last


@pytest.mark.parametrize(
    ("count", "told"), [(4, "s1, s2, s3, s4"), (5, "s1, s2, s3, s4 and 1 more")]
)
def test_many_steps_are_awaited(count: int, told: str) -> None:
    names = [f"s{number}" for number in range(1, count + 1)]
    awaits = tuple(f"{BUILD}/{name}" for name in names)
    steps = [*[step(name) for name in names], step("image", awaits=awaits)]
    assert why.lines(steps, BUILD)[0] == f"GZIP     image: may change with {told}"


def test_what_has_no_maker_known() -> None:
    unknown = ["its options, code or tools changed"]
    assert why.input_changes(None, {"a": "1"}) == unknown
    assert why.input_changes({"a": "1"}, {"a": "1"}) == unknown


def test_values_are_told_with_what_they_were() -> None:
    old, new = {"level": "6", "gone": "1", "same": "x"}, {"level": "9", "new": "2", "same": "x"}
    assert why.input_changes(old, new) == ["gone 1 → unset", "level 6 → 9", "new unset → 2"]
    assert why.input_changes({"a": "None"}, {"a": "3"}) == ["a unset → 3"]


@pytest.mark.parametrize(("count", "more"), [(4, []), (5, ["1 more"]), (9, ["5 more"])])
def test_many_values(count: int, more: list[str]) -> None:
    old = {f"o{number}": "1" for number in range(count)}
    new = {f"o{number}": "2" for number in range(count)}
    assert why.input_changes(old, new) == [*[f"o{n} 1 → 2" for n in range(4)], *more]


def test_files_are_told_by_name_alone() -> None:
    old = {"a.py": f"{why.DIGEST_MARK}1", "b.py": f"{why.DIGEST_MARK}1", "x": "1"}
    new = {"b.py": f"{why.DIGEST_MARK}2", "c.py": f"{why.DIGEST_MARK}1", "x": "2"}
    assert why.input_changes(old, new) == ["x 1 → 2", "b.py changed", "c.py is new", "a.py is gone"]


def test_many_files() -> None:
    four, nine = ["a", "b", "c", "d"], list("abcdefghi")
    assert why.file_changes(four, "is new", "are new") == [f"{name} is new" for name in four]
    assert why.file_changes(nine, "is new", "are new") == ["a, b, c, d and 5 more are new"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ([], [1, 2], ""),
        ([1, 2], [1, 2], ""),
        ([1, 2, 3], [1, 9, 3], " line 2"),
        ([1, 2, 3, 4], [1, 8, 9, 4], " lines 2-3"),
        ([1, 2, 3, 4, 5], [9, 2, 3, 4, 8], " lines 1, 5"),
        ([1, 2, 3], [1, 3], " line 2"),  # where it was
    ],
)
def test_lines_of_a_table(old: list[int], new: list[int], told: str) -> None:
    assert why.changed_lines(old, new) == told
