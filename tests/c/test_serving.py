"""The whole server of core/ and port/posix, under load, with the sanitizers watching."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULE = HERE.parent.parent / "firmware" / "cmodules" / "viperhttp"


def build(folder: Path, settings: str, flags: list[str]) -> Path:
    (folder / "viperhttp_board.h").write_text(settings)
    program = folder / "test_serving"
    subprocess.run(
        ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O1", "-g", *flags]
        + [f"-I{MODULE}/core", f"-I{MODULE}/port", f"-I{folder}", f"-I{HERE}"]
        + [str(HERE / "test_serving.c"), str(HERE / "served.c")]
        + [str(source) for source in sorted(MODULE.glob("core/*.c"))]
        + [str(source) for source in sorted(MODULE.glob("port/posix*.c"))]
        + ["-pthread", "-o", str(program)],
        check=True,
    )
    return program


def run(program: Path, seconds: int) -> None:
    done = subprocess.run(
        [program, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_under_thread_sanitizer(tmp_path: Path) -> None:
    run(build(tmp_path, "", ["-fsanitize=thread"]), 10)


@pytest.mark.long
def test_ten_minutes_under_thread_sanitizer(tmp_path: Path) -> None:
    run(build(tmp_path, "", ["-fsanitize=thread"]), 600)


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "#define VHTTP_STATIC_SERVE_VIA_IPC 0\n",
        # A cache that is always too small, and rings that are always full.
        "#define VHTTP_CACHE_SIZE_PSRAM 65536\n#define VHTTP_IPC_RINGBUF_SIZE_PSRAM 16384\n",
        "#define VHTTP_CACHE_SIZE_PSRAM 0\n#define VHTTP_MAX_CONNECTIONS 4\n",
    ],
    ids=["usual", "without the interpreter", "little memory", "no cache"],
)
def test_under_address_and_undefined_sanitizers(tmp_path: Path, settings: str) -> None:
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    run(build(tmp_path, settings, flags), 3)
