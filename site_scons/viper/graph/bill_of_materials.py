# SPDX-License-Identifier: MIT
"""The bill of materials of a build, in CycloneDX's form (specification 1.6, JSON).

Named are the sources that are in the images, by commit, with the components of ESP-IDF that the
build has linked; and the Python packages of the graph, which made the images and are in none: their
scope is "excluded". The same build gives the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viper.base import atomic_file, packages
from viper.source.pins import Pins

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_NAMESPACE = uuid.UUID("6a2a2b1c-5d0e-4b57-9a50-5f0a8f3b6f0e")  # of this project's serial numbers
_LICENCES = ("License-Expression", "License")  # of a package's metadata, the newer one first
_VERSION = re.compile(r'^#define VHTTP_VERSION "(.+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Build:
    """What a bill of materials is made from.

    Attributes:
        version: of the firmware and the graph.
        record: build.json of the build.
        pins: what its sources were fetched by.
        lock: the lock of the packages that made it.
        description: ESP-IDF's project_description.json; None for a board without ESP-IDF.
        components: the lock of ESP-IDF's component manager; None likewise.
    """

    version: str
    record: dict[str, Any]
    pins: Pins
    lock: Path
    description: Path | None = None
    components: Path | None = None


@dataclass(frozen=True)
class _Part:
    """One entry: its name, version, package URL and licence."""

    name: str
    version: str
    url: str
    licence: str
    is_shipped: bool = True


def version(header: Path) -> str:
    """The version of the firmware and the graph, which stands in the module's build_info.h."""
    found = _VERSION.search(header.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{header} defines no VHTTP_VERSION")
    return found[1]


def write(target: Path, build: Build) -> int:
    """Write the bill of materials of a build.

    Returns:
        How many components it names besides the firmware itself.
    """
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    firmware = _component(_Part("ViperHTTP", build.version, "", "MIT"), is_firmware=True)
    firmware.properties.add(Property(name="viperhttp:board", value=build.record["board"]))
    firmware.properties.add(Property(name="viperhttp:build", value=build.record["id"]))
    parts = [_component(part) for part in [*_sources(build), *_packages(build.lock)]]
    bom = Bom(
        components=parts,
        metadata=BomMetaData(
            component=firmware,
            timestamp=datetime.fromtimestamp(build.pins.micropython.date, timezone.utc),
        ),
        serial_number=uuid.uuid5(_NAMESPACE, build.record["id"]),
    )
    bom.register_dependency(firmware, parts)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    atomic_file.write(target, outputter.output_as_string(indent=1).encode() + b"\n")
    return len(parts)


def _sources(build: Build) -> Iterator[_Part]:
    """What is compiled into the images besides this project."""
    pins, app = build.pins, build.record["app"]
    micropython = app["micropython"]
    if micropython["commit"] == pins.stand_in.commit:
        upstream = Path(pins.stand_in.pool).name.split("_")[1].removesuffix(".orig.tar.xz")
        url = f"pkg:deb/debian/micropython@{upstream}?arch=source"
    else:
        url = f"pkg:github/micropython/micropython@{micropython['commit']}"
    yield _Part("MicroPython", micropython["version"], url, "MIT")
    if "esp-idf" not in app["toolchain"]:
        return
    for submodule in pins.micropython.submodules:
        owner, name = submodule.url.removesuffix(".git").split("/")[-2:]
        licence = "BSD-3-Clause" if name.startswith("berkeley-db") else "MIT"
        yield _Part(name, submodule.commit, _github(owner, name, submodule.commit), licence)
    idf = app["toolchain"]["esp-idf"]
    yield _Part("ESP-IDF", idf, _github("espressif", "esp-idf", idf), "Apache-2.0")
    assert build.description is not None and build.components is not None
    yield from _idf_components(build.description, build.components, idf)


def _idf_components(description: Path, lock: Path, idf: str) -> Iterator[_Part]:
    """The components of a build: ESP-IDF's own by its version, fetched ones by the lock's."""
    import yaml

    described = json.loads(description.read_text(encoding="utf-8"))
    fetched = yaml.safe_load(lock.read_text(encoding="utf-8"))["dependencies"]
    for name, component in sorted(described["build_component_info"].items()):
        if Path(component["dir"]).is_relative_to(described["idf_path"]):
            url = f"{_github('espressif', 'esp-idf', idf)}#components/{name}"
            yield _Part(name, idf, url, "Apache-2.0")
    for name, found in sorted(fetched.items()):
        if name != "idf":
            url = f"pkg:generic/{name}@{found['version']}"
            yield _Part(name, str(found["version"]), url, "")


def _packages(lock: Path) -> Iterator[_Part]:
    """The Python packages of a lock that this platform has."""
    for one in packages.pinned(lock):
        (pin,) = one.specifier
        told = importlib.metadata.metadata(one.name)
        licence = next((told[key] for key in _LICENCES if key in told), "")
        url = f"pkg:pypi/{one.name}@{pin.version}"
        # Old packages have the licence's whole text there.
        yield _Part(one.name, pin.version, url, licence.partition("\n")[0], is_shipped=False)


def _github(owner: str, name: str, revision: str) -> str:
    return f"pkg:github/{owner}/{name}@{revision}"


def _component(part: _Part, is_firmware: bool = False) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from packageurl import PackageURL

    licences: Iterable[Any] = ()
    if part.licence:
        licences = (LicenseFactory().make_from_string(part.licence),)
    return Component(
        name=part.name,
        version=part.version,
        bom_ref=part.url or part.name,
        type=ComponentType.FIRMWARE if is_firmware else ComponentType.LIBRARY,
        purl=PackageURL.from_string(part.url) if part.url else None,
        scope=None if part.is_shipped else ComponentScope.EXCLUDED,
        licenses=licences,
    )
