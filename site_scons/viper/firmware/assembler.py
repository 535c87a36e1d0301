# SPDX-License-Identifier: MIT
"""What the assembler reads by itself, by `.include` and `.incbin`, in .S files and within C.

The compiler's dependency files do not tell of it, and ccache, which looks for `.incbin` alone,
gives back an object whose `.include` has changed. So it matters whether any source does that.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from viper.base import atomic_file
from viper.firmware.build_id import Inputs

_RECORD = "assembler-reads.txt"
_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".S", ".s", ".h", ".hh", ".hpp", ".hxx", ".inc")
_DIRECTIVE = re.compile(rb"(?<![\w.])\.(?:include|incbin)\b")


def what_it_may_read(inputs: Inputs, folder: Path) -> Path | None:
    """A file that changes with all that the assembler may read; None if no source has it read any.

    Args:
        folder: where the file is written.

    Raises:
        OSError: a source cannot be read, or the file not written.
    """
    sources = [inputs.staged(Path(path)) for path in inputs.files if path.endswith(_SUFFIXES)]
    sources += [inputs.tree / path for path in inputs.own if path.endswith(_SUFFIXES)]
    if not any(_DIRECTIVE.search(path.read_bytes()) for path in sources):
        return None
    text = json.dumps([dict(inputs.files), dict(inputs.own)], sort_keys=True)
    record = folder / _RECORD
    folder.mkdir(parents=True, exist_ok=True)
    atomic_file.write(record, hashlib.sha256(text.encode()).hexdigest().encode())
    return record
