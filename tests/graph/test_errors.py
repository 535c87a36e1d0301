# SPDX-License-Identifier: MIT
"""What a person can get wrong: what, where and the next command, status 2, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from project import Project, Run

# Nothing of the machinery shows in an error.
_NEVER = ("Traceback", "SConstruct", "site_scons", "scons: ***")


def _refusal(project: Project, *arguments: str, **environment: str) -> str:
    """The error of a run, after a check of its form."""
    run: Run = project.scons(*arguments, status=2, **environment)
    error = run.output[run.output.index("error: ") :].rstrip("\n")
    assert len(error.splitlines()) <= 2, run.output
    for word in _NEVER:
        assert word not in run.output
    return error


def test_unknown_board(project: Project) -> None:
    error = _refusal(project, "BOARD=VIRTUAL_N16R9")
    assert "no board 'VIRTUAL_N16R9'; did you mean 'VIRTUAL_N16R8'?" in error


def test_board_and_port_that_do_not_fit(project: Project) -> None:
    error = _refusal(project, "flash", "BOARD=VIRTUAL_N16R8", "PORT=/dev/ttyUSB0")
    assert "VIRTUAL_N16R8" in error and "/dev/ttyUSB0" in error


def test_a_host_elsewhere_is_a_real_board(project: Project) -> None:
    def shown(host: str) -> str:
        return project.scons("-h", f"HOST={host}").output

    assert "BOARD=ESP32S3_N16R8 " in shown("192.168.0.7")
    assert "BOARD=VIRTUAL_N16R8 " in shown("127.0.0.1:8080")


def test_unknown_port(project: Project) -> None:
    assert "PORT=nowhere" in _refusal(project, "flash", "PORT=nowhere")


# Without ESP-IDF, which these would need next.
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["flash", "PORT=/dev/ttyNONE9"], "PORT=/dev/ttyNONE9: there is no such device"),
        (["sync", "PORT=/dev/ttyNONE9"], "PORT=/dev/ttyNONE9: there is no such device"),
        (["flash", "PORT=COM14"], "PORT=COM14 is a name of Windows"),
        (["backup", "BOARD=ESP32S3_N16R8"], "BOARD=ESP32S3_N16R8 needs to know its port"),
    ],
)
def test_a_port_that_is_not_there_is_told_before_anything_is_built(
    project: Project, arguments: list[str], told: str
) -> None:
    assert told in _refusal(project, *arguments)
    assert not project.path("build/ESP32S3_N16R8").exists()


def test_a_device_that_nobody_is_at_is_the_last_word_of_perf(project: Project) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens
        host = f"127.0.0.1:{nobody.getsockname()[1]}"
        run = project.scons("perf", f"HOST={host}", status=2)
    last, next_step = run.output.splitlines()[-2:]
    assert last.startswith(f"error: http://{host}/health does not answer")
    assert f"curl http://{host}/health" in next_step


def test_unknown_option(project: Project) -> None:
    assert "no option 'GZIP_LVL'; did you mean 'GZIP_LEVEL'?" in _refusal(project, "GZIP_LVL=3")


def test_option_out_of_range(project: Project) -> None:
    assert "GZIP_LEVEL=12" in _refusal(project, "GZIP_LEVEL=12")


def test_unknown_target(project: Project) -> None:
    assert "no target 'flsh'; did you mean 'flash'?" in _refusal(project, "flsh")


@pytest.mark.parametrize("folder", ["assets/www", "boards", "."])
def test_folder_as_target(project: Project, folder: str) -> None:
    assert f"no target '{folder}'" in _refusal(project, folder)


def test_csv_line_that_overlaps(project: Project) -> None:
    project.edit("boards/partitions-16MiBplus.csv", "0x310000", "0x300000")
    error = _refusal(project)
    assert "partitions-16MiBplus.csv line 7" in error and "ota_0" in error


def test_asset_that_fat_cannot_hold(project: Project) -> None:
    project.path("assets/www/what?.js").write_text("x")
    assert "what?.js" in _refusal(project)


def test_asset_that_is_no_file(project: Project) -> None:
    os.mkfifo(project.path("assets/www/pipe.txt"))
    assert "assets/www/pipe.txt is not a regular file" in _refusal(project, "assets")
    project.path("assets/www/pipe.txt").unlink()
    project.path("assets/www/broken.js").symlink_to("nowhere")
    assert "assets/www/broken.js" in _refusal(project, "assets")


def test_no_assets(project: Project) -> None:
    project.path("assets/www").rename(project.path("assets/gone"))
    assert "assets/www: there is no such folder" in _refusal(project, "assets")


def test_asset_whose_name_means_something_to_scons(project: Project) -> None:
    for name in ("$weird.txt", "#hash.txt", "it's a \"b.txt".replace('"', "")):
        project.path(f"assets/www/{name}").write_text("x" * 2000)
    steps = project.scons("assets").output
    assert "GZIP     $weird.txt" in steps and "GZIP     #hash.txt" in steps


def test_local_py_that_is_broken(project: Project) -> None:
    project.path("local.py").write_text("BOARD = (\n")
    assert "local.py line 1" in _refusal(project)
    project.path("local.py").write_text("BOARD = nobody\n")
    assert "local.py" in _refusal(project)


def test_option_that_scons_does_not_have(project: Project) -> None:
    assert "steps run" not in project.scons("flash", "--foo", status=2).output


def test_taken_http_port_leaves_the_running_board_alone(project: Project) -> None:
    port = "PORT=virtual:keeps"
    try:
        project.scons("flash", port)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            assert str(number) in _refusal(project, "flash", port, f"HTTP_PORT={number}")
        assert project.scons("get", port).output.startswith("HTTP/1.1 200")
    finally:
        project.scons("board-stop", port)


def test_image_too_big(project: Project) -> None:
    project.path("assets/www/film.mp4").write_bytes(bytes(11_000_000))
    assert "film.mp4" in _refusal(project)
    # What stood before stands still, and is built again without the film.
    project.path("assets/www/film.mp4").unlink()
    assert project.scons().steps <= {
        "ASSETS www.json",
        "FILES files.json",
        "VFS vfs.img",
        "IMAGE flash.bin",
        "RECORD build.json",
    }


def test_template_error(project: Project) -> None:
    with project.path("firmware/app/templates/status.html").open("a") as file:
        file.write("\n{% macro m() %}{% endmacro %}")
    error = _refusal(project)
    assert "firmware/app/templates/status.html line 9: 'macro'" in error


def test_compile_error(project: Project) -> None:
    project.edit("firmware/cmodules/viperhttp/core/mime.c", "#include", "#incude")
    run = project.scons(status=2)
    assert "mime.c" in run.output
    assert "Traceback" not in run.output


def test_no_compiler(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("no-tools")
    project.path("build/VIRTUAL_N16R8/firmware/micropython").unlink()
    assert "sudo apt install make" in _refusal(project, PATH=str(empty))


def test_pin_whose_commit_is_not_there(project: Project, tmp_path: Path) -> None:
    """A host that can be reached and lacks the commit is a wrong pin; nothing stands in for it."""
    repository = tmp_path / "empty.git"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    project.edit("nix/pins.json", '"commit": "78ff170de9', '"commit": "0000000000')
    error = _refusal(project, f"MICROPYTHON_URL={repository}")
    assert "no commit 0000000000" in error and "nix/pins.json" in error


def test_no_source_to_be_had(project: Project, tmp_path: Path) -> None:
    """Neither git nor a mirror: both tries are named, the way out, and what stood still stands."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("git", "setpriv", "gcc", "make"):
        (tools / name).symlink_to(str(shutil.which(name)))
    commit = json.loads(project.path("nix/pins.json").read_text())["micropython"]["commit"]
    project.edit("nix/pins.json", commit, "0" * 40)
    error = _refusal(project, "fetch", "MICROPYTHON_URL=/nowhere.git", PATH=str(tools))
    assert "/nowhere.git" in error and "apt" in error and "MICROPYTHON=" in error
    project.edit("nix/pins.json", "0" * 40, commit)
    assert project.scons().steps == set()


def test_stand_in_whose_hash_does_not_match(project: Project) -> None:
    project.edit("nix/pins.json", '"sha256": "7b25', '"sha256": "0000')
    project.path("build/micropython.json").unlink()
    error = _refusal(project, "MICROPYTHON_URL=/nowhere.git")
    assert "sha256" in error and "nix/pins.json" in error
    assert not list(project.path("build").glob("*.tar.xz*"))


def test_http_port_taken(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = _refusal(project, "flash", "PORT=virtual:taken", f"HTTP_PORT={port}")
    assert str(port) in error
    assert "python" in error or "pytest" in error  # its holder: this test


def test_board_that_is_not_running(project: Project) -> None:
    assert "./scons flash" in _refusal(project, "board-log", "PORT=virtual:never")


def test_full_disk(project: Project) -> None:
    """A write that finds no room is told as such, and leaves nothing half-written."""
    outputs = project.path("build/VIRTUAL_N16R8")
    project.path("assets/www/noise.txt").write_text(os.urandom(2_000_000).hex())
    small_disk = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", small_disk, str(outputs)]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode:
        pytest.skip("this kernel lets nobody mount a file system of their own (unshare --mount)")
    look = 'echo "left: $(find "$0" -name "*.part" -o -name "noise*")"'
    command = [*namespace, "sh", "-c", f'"$@"; s=$?; {look}; exit $s', str(outputs)]
    done = subprocess.run(
        [*command, *project.command("assets")],
        cwd=project.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done
    assert "the disk is full" in done.stderr
    assert "left: \n" in done.stdout
