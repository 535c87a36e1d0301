"""SCons 4.11.1: with Decider("content-timestamp"), a file written twice in one second stays old.

Expected: a file whose time of change differs is read again, and its content decides.
Happens: SCons compares whole seconds. What was built from the first content of a second is taken
for up to date when the file is written again in that second.

Seen with Python 3.11:
    first content, at 1000000000.1 s -> built from: first
    second content, at 1000000000.9 s -> built from: first
    second content, at 1000000001.9 s -> built from: second
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = ["scons==4.11.1"]
SCONSTRUCT = """
env = Environment(tools=[])
env.Decider("content-timestamp")
env.Command("target", "source", Copy("$TARGET", "$SOURCE"))
"""
SECOND = 1_000_000_000

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "packages")]
    subprocess.run([*pip, *PINS], check=True, stderr=subprocess.DEVNULL)
    (folder / "SConstruct").write_text(SCONSTRUCT)

    def build(content: str, seconds: float) -> str:
        source = folder / "source"
        source.write_text(content)
        nanoseconds = round(seconds * 10) * 10**8
        os.utime(source, ns=(nanoseconds, nanoseconds))
        subprocess.run(
            [sys.executable, "-m", "SCons", "-Q", "target"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "packages")},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        built = (folder / "target").read_text()
        print(f"{content} content, at {seconds:.1f} s -> built from: {built}")
        return built

    assert build("first", SECOND + 0.1) == "first"
    assert build("second", SECOND + 0.9) == "first"
    assert build("second", SECOND + 1.9) == "second"
