# SPDX-License-Identifier: MIT
"""The picture that a page begins with: the shape of a graph in few boxes."""

from __future__ import annotations

from viper.graph import outline
from viper.graph.page import Task
from viper.graph.why import Step


def step(tag: str, name: str, sources: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Step:
    return Step(tag, (name,), sources, after, (), ())


STEPS = [
    step("GZIP", "b/www/x.gz", ("assets/www/x",)),
    step("GZIP", "b/www/y.gz", ("assets/www/y",)),
    step("ASSETS", "b/www.json", ("assets/www/x", "assets/www/y"), ("b/www/x.gz", "b/www/y.gz")),
    step("MAKE", "b/micropython", ("firmware/main.c", "boards/own/board.h", "boards/own/b.mk")),
    step("BOOT", "b/bootloader.bin"),
    step("OTADATA", "b/otadata.bin"),
    step(
        "IMAGE",
        "b/flash.bin",
        (),
        ("b/www.json", "b/micropython", "b/bootloader.bin", "b/otadata.bin"),
    ),
    step("RECORD", "b/build.json", (), ("b/flash.bin", "b/www.json")),
]
TASKS = [Task("flash", ("b/flash.bin", "b/build.json")), Task("ota", ("b/micropython",))]


def boxes_and_arrows() -> set[str]:
    graph = outline.dot(STEPS, TASKS)
    edges = {line.rstrip(";").replace('"', "") for line in graph.splitlines() if " -> " in line}
    boxes = {line.split('"')[1] for line in graph.splitlines() if " [label=" in line}
    return boxes | edges


def test_chains_and_siblings_are_one_box_and_no_arrow_says_what_others_say() -> None:
    files = "firmware/main.c boards/own/"
    assert boxes_and_arrows() == {
        "GZIP ASSETS", "MAKE", "BOOT OTADATA", "IMAGE RECORD", "assets/www/", files,
        "device flash, ota",
        "assets/www/ -> GZIP ASSETS", f"{files} -> MAKE",
        *[f"{box} -> IMAGE RECORD" for box in ("GZIP ASSETS", "MAKE", "BOOT OTADATA")],
        "IMAGE RECORD -> device flash, ota",
    }  # fmt: skip


def test_what_is_alike_is_named_by_its_kind() -> None:
    assert "www/*.gz" in outline.dot(STEPS, TASKS)


def test_a_picture_tells_its_boxes_and_arrows() -> None:
    picture = "<title>overview</title><title>A&#45;B</title><title>A&#45;B&#45;&gt;C</title>"
    assert outline.shape(picture) == {"A-B", "A-B->C"}
