# SPDX-License-Identifier: MIT
"""The folders of a project: of the demo in this checkout, or of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """Folders, relative to the project's own. One that is not there has nothing in it.

    Attributes:
        application: what stands at / on the device, and app.toml, which says where its pages are.
        www: the site, which stands at /www there.
        templates: Jinja's. If it is in the application's folder, it is no folder of the device.
        seeds: what the application writes itself: placed at / only where nothing is.
        tests: for pytest.
    """

    application: str
    www: str
    templates: str
    seeds: str
    tests: str = "tests"

    @property
    def files(self) -> list[str]:
        """What `sync` brings to a device, as far as it is there."""
        named = (self.application, self.www, self.templates, self.seeds)
        return [folder for folder in named if Path(folder).is_dir()]

    @property
    def app_file(self) -> Path:
        """Which paths of the application are asked for (viper.base.app_paths)."""
        return Path(self.application, "app.toml")
