# SPDX-License-Identifier: MIT
"""What a step depends on besides files: the modules of viper that it uses, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from viper.base import errors
from viper.graph.fingerprint import parts
from viper.image import otadata, partition_table
from viper.image.sectors import Run


def of_a_module() -> int:
    return partition_table.BINARY_SIZE


def of_a_name() -> type:
    return Run


def of_an_import_inside() -> object:
    from viper.image import littlefs_image

    return littlefs_image


def of_a_name_inside() -> object:
    from viper.image.gzip_asset import SUFFIX

    return SUFFIX


def of_another_function() -> int:
    return of_a_module()


def of_a_deeper_module() -> object:
    return otadata


def of_what_is_only_shown() -> None:
    raise errors.UserError("no")


@pytest.mark.parametrize(
    ("step", "modules"),
    [
        (of_a_module, {"viper.image.partition_table", "viper.base.chip_models"}),
        (of_a_name, {"viper.image.sectors"}),
        (
            of_an_import_inside,
            {
                "viper.image.littlefs_image",
                "viper.image.filesystem_image",
                "viper.image.sectors",
            },
        ),
        (of_a_name_inside, {"viper.image.gzip_asset"}),
        (of_another_function, {"viper.image.partition_table", "viper.base.chip_models"}),
        (of_a_deeper_module, {"viper.image.otadata", "viper.image.sectors"}),
        (of_what_is_only_shown, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_modules_of_a_step(step: Callable[..., object], modules: set[str]) -> None:
    assert {name for name in parts(step) if name.startswith("viper.")} == modules


def test_what_runs_as_a_process_is_given() -> None:
    found = parts(of_what_is_only_shown, ["viper.image.otadata", "zlib-ng"])
    assert {"viper.image.otadata", "viper.image.sectors", "zlib-ng"} <= set(found)


def test_a_package_that_no_lock_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonesuch"):
        parts(of_what_is_only_shown, ["nonesuch"])
