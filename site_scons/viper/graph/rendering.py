# SPDX-License-Identifier: MIT
"""Pages that need nothing but themselves: style and pictures are in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "pages"


def render(name: str, picture: str, **values: Any) -> bytes:
    """A page of the folder pages/, by its file name.

    Args:
        picture: an SVG, which goes in as it is; all else is escaped.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((_FOLDER / name).read_text(encoding="utf-8"))
    style = Markup((_FOLDER / "style.css").read_text(encoding="utf-8"))
    return template.render(style=style, picture=Markup(picture), **values).encode()
