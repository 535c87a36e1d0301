"""SCons 4.11.1: the signature of a Python action covers its own code, and none that it calls.

Expected: what an action makes is made again when the code that makes it has changed.
Happens: the action's own bytecode, names and constants are signed. A function that it calls may
change, and its targets stay up to date.

Seen with Python 3.11:
    helper says one -> target: one
    helper says two -> target: one
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = ["scons==4.11.1"]
SCONSTRUCT = """
def helper():
    return "{word}"

def action(target, source, env):
    with open(str(target[0]), "w") as file:
        file.write(helper())

env = Environment(tools=[])
env.Command("target", [], action)
"""

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "packages")]
    subprocess.run([*pip, *PINS], check=True, stderr=subprocess.DEVNULL)

    def build(word: str) -> str:
        (folder / "SConstruct").write_text(SCONSTRUCT.format(word=word))
        subprocess.run(
            [sys.executable, "-m", "SCons", "-Q", "target"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "packages")},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        made = (folder / "target").read_text()
        print(f"helper says {word} -> target: {made}")
        return made

    assert build("one") == "one"
    assert build("two") == "one"
