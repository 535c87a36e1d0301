# SPDX-License-Identifier: MIT
"""The same inputs give the same bytes, in any folder, time zone, umask, locale and -j."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from project import Project, copy_project


def test_another_folder_locale_time_zone_umask_and_jobs(
    built: Path, project: Project, tmp_path: Path
) -> None:
    other = copy_project(built, tmp_path / "elsewhere")
    shutil.rmtree(other.path("build/VIRTUAL_N16R8"))
    other.path("build/.sconsign.dblite").unlink()
    command = ["sh", "-c", 'umask 077; exec "$@"', "sh", *other.command("-j3")]
    done = subprocess.run(
        command,
        cwd=other.folder,
        env=other.environment(
            TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8", PYTHONHASHSEED="7"
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert other.digests() == project.digests()


def test_no_path_or_time_of_the_build_in_an_image(project: Project) -> None:
    images = [*project.path("build/VIRTUAL_N16R8").glob("*.bin")]
    assert images
    for image in images:
        content = image.read_bytes()
        assert b"built project" not in content and b"/home/" not in content
        assert b"pytest" not in content
