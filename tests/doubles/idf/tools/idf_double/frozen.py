# SPDX-License-Identifier: MIT
"""A manifest of frozen Python, and frozen_content.c, which outlives what is taken out of it."""

from __future__ import annotations

from pathlib import Path


def modules(manifest: Path, port: Path, board: Path) -> list[Path]:
    """The files that a manifest freezes for a board's folder, and the manifests themselves."""
    found = [manifest]
    variables = {
        "$(MPY_DIR)": str(port.parents[1]),
        "$(PORT_DIR)": str(port),
        "$(BOARD_DIR)": str(board),
    }

    def resolved(name: str) -> Path:
        for variable, value in variables.items():
            name = name.replace(variable, value)
        return manifest.parent / name

    def package(
        name: str, files: list[str] | None = None, base_path: str = ".", **_: object
    ) -> None:
        folder = resolved(base_path) / name
        found.extend([folder / file for file in files] if files else sorted(folder.rglob("*.py")))

    def freeze(folder: str, script: str | None = None, **_: object) -> None:
        found.extend(
            [resolved(folder) / script] if script else sorted(resolved(folder).rglob("*.py"))
        )

    def include(name: str, **_: object) -> None:
        path = resolved(name)
        path = path / "manifest.py" if path.is_dir() else path
        if not path.is_file():
            raise SystemExit(f"Error: Could not open manifest file {path}")
        found.extend(modules(path, port, board))

    def module(name: str, base_path: str = ".", **_: object) -> None:
        found.append(resolved(base_path) / name)

    names = {
        "package": package, "freeze": freeze, "include": include, "module": module,
        "require": lambda name, **_: None, "metadata": lambda **_: None,
    }  # fmt: skip
    exec(compile(manifest.read_text(), manifest, "exec"), names)
    return found


def write(output: Path, plan: dict) -> None:
    """Write the files' content anew."""
    listed = modules(Path(plan["manifest"]), Path(plan["project"]), Path(plan["board"]))
    files = [path for path in listed if path.name != "manifest.py"]
    output.write_bytes(b"".join(f"// {path.name}\n".encode() + path.read_bytes() for path in files))
