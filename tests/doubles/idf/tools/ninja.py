#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""ninja, as far as cmake and a build folder of the double ask for it."""

import argparse
import os
import sys
from pathlib import Path

from idf_double import installation


def main() -> int:
    parser = argparse.ArgumentParser(prog="ninja")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-C", dest="folder", type=Path, default=Path())
    parser.add_argument("-j", type=int)
    parser.add_argument("-t", dest="tool")
    parser.add_argument("targets", nargs="*")
    options, _ = parser.parse_known_args()
    if options.version:
        print("1.12.1")
        return 0
    if options.tool:
        return 0  # cmake has ninja tidy its log
    installation.record_call("ninja")
    if not (options.folder / "build.ninja").exists():
        print("ninja: error: loading 'build.ninja': No such file or directory")
        return 1
    unknown = [target for target in options.targets if target != "all"]
    if unknown:
        print(f"ninja: error: unknown target '{unknown[0]}'")
        return 1
    os.chdir(options.folder)
    from idf_double import make

    return make.build(Path.cwd())


sys.exit(main())
