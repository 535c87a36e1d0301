"""`./scons why` says what would run and why, in the words of the project, and runs nothing."""

from __future__ import annotations

import re

import pytest
from project import Project

# Words of the machinery, which nobody has to know.
_SCONS = re.compile(r"scons:|target|implicit|dependen|action|builder|signature|node", re.IGNORECASE)


def ask(project: Project, *arguments: str) -> dict[str, str]:
    """What is said of each output, by its name; nothing may have changed by the question."""
    before = project.digests()
    output = project.scons(*arguments).output
    assert project.digests() == before
    assert not _SCONS.search(output), output
    return dict(re.findall(r"^[A-Z]{3,8} +(\S+): (.*)$", output, re.MULTILINE))


def test_nothing_changed(project: Project) -> None:
    assert ask(project, "why") == {}
    assert re.fullmatch(r"all \d+ steps are up to date\n", project.scons("why").output)


def test_an_asset_is_followed_to_the_flash(project: Project) -> None:
    with project.path("assets/www/app.js").open("a") as file:
        file.write("// more\n")
    told = ask(project, "why=flash")
    assert told == {
        "www/app.js.gz": "assets/www/app.js changed",
        "www.json": "assets/www/app.js changed; may change with www/app.js.gz",
        "vfs.img": "may change with www.json",
        "flash.bin": "may change with vfs.img",
        "build.json": "may change with www.json, flash.bin",
    }
    # Asked in the same words as built, and about one output only.
    assert ask(project, "why", "flash") == told
    assert set(ask(project, "why=vfs.img")) == {"www/app.js.gz", "www.json", "vfs.img"}
    # What was foretold is what runs.
    assert len(project.scons().steps) == len(told)
    assert ask(project, "why") == {}


def test_a_table_is_told_by_its_lines(project: Project) -> None:
    project.edit("boards/partitions-16MiBplus.csv", "phy_init,", "phy_data,")
    (line,) = [
        number
        for number, text in enumerate(
            project.path("boards/partitions-16MiBplus.csv").read_text().splitlines(), 1
        )
        if text.startswith("phy_data,")
    ]
    told = ask(project, "why")
    assert told["vfs.img"] == f"boards/partitions-16MiBplus.csv changed line {line}"


def test_files_that_come_and_go(project: Project) -> None:
    project.path("assets/www/new.css").write_text("p { color: red }\n" * 100)
    project.path("assets/www/favicon.svg").unlink()
    told = ask(project, "why")
    assert told["www/new.css.gz"] == "new.css.gz is not there"
    assert "assets/www/new.css is new" in told["www.json"]
    assert "assets/www/favicon.svg is gone" in told["www.json"]


def test_an_option_a_tool_and_our_own_code(project: Project) -> None:
    assert ask(project, "why", "GZIP_LEVEL=9")["www/app.js.gz"] == "level 6 → 9"
    project.edit("requirements.txt", "zlib-ng==", "zlib-ng==9.")
    assert re.fullmatch(r"zlib-ng (\S+) → 9\.\1", ask(project, "why")["www/app.js.gz"])
    with project.path("site_scons/viper/otadata.py").open("a") as file:
        file.write("# more\n")
    assert ask(project, "why")["otadata.bin"] == "viper.otadata changed"


def test_a_pin(project: Project) -> None:
    project.edit("nix/pins.json", '"commit": "78ff170de9', '"commit": "0000000000')
    told = ask(project, "why")
    assert told["build/micropython.json"] == "nix/pins.json changed"
    assert told["firmware/micropython"] == "may change with build/micropython.json"


def test_what_was_touched_is_not_what_changed(project: Project) -> None:
    project.path("assets/www/app.js").touch()
    assert ask(project, "why") == {}


@pytest.mark.parametrize("lost", ["VIRTUAL_N16R8/steps.json", ".sconsign.dblite"])
def test_what_nobody_knows_is_said(project: Project, lost: str) -> None:
    project.path(f"build/{lost}").write_bytes(b"")
    told = ask(project, "why", "GZIP_LEVEL=9")
    assert told["www/app.js.gz"] in (
        "its options, code or tools changed",
        "nobody knows what it was made from",
    )


def test_a_name_that_is_nothing(project: Project) -> None:
    refused = project.scons("why=vfs.imag", status=2).output
    assert refused.startswith("error: why=vfs.imag: ") and "did you mean 'vfs.img'?" in refused


def test_many_changes_of_a_kind_are_counted(project: Project) -> None:
    for number in range(10):
        project.path(f"assets/www/{number}.txt").write_text("x\n")
    told = ask(project, "why")
    assert "and 6 more are new" in told["www.json"]
