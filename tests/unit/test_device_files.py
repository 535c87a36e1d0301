"""The update of single files: what is sent, what is deleted, what stays."""

from __future__ import annotations

import ast
import base64
import hashlib
from pathlib import Path

import pytest
from viper import device_files
from viper.errors import UserError
from viper.flash_session import File

NOWHERE = Path("/nonexistent")


def file(sha256: str) -> File:
    return File(sha256, NOWHERE)


def test_what_differs_is_sent_and_what_an_earlier_image_put_there_is_deleted() -> None:
    update = device_files.difference(
        wanted={"/same": file("1"), "/changed": file("2"), "/new": file("3")},
        ours={"/same": "1", "/changed": "0", "/dropped": "4", "/edited": "5", "/gone": "6"},
        found={
            "/same": "1",
            "/changed": "0",
            "/new": "",
            "/dropped": "4",
            "/edited": "by the user",
            "/gone": "",
        },
    )
    assert update == device_files.Update(sent=("/changed", "/new"), deleted=("/dropped",))


def test_content_of_any_kind_goes_through_in_exchanges_of_bounded_size(tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    source = tmp_path / "any.bin"
    source.write_bytes(content)
    name = '/www/it\'s "ünï" code.bin'
    files = {name: File(hashlib.sha256(content).hexdigest(), source)}
    statements = list(device_files._statements(files))
    calls = [ast.parse(statement, mode="eval").body for statement in statements]
    arguments = [ast.literal_eval(call.args[0]) for call in calls]  # type: ignore[attr-defined]
    assert arguments[0] == name
    assert b"".join(map(base64.b64decode, arguments[1:-1])) == content
    batches = list(device_files._batches(statements, "\n"))
    assert "\n".join(batches).split("\n") == statements
    assert all(len(batch) <= 17 * 1024 for batch in batches)
    assert device_files.bytes_to_send(files) < 1.4 * len(content)


def test_a_source_that_changed_since_the_image_was_made_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "index.html"
    source.write_text("edited")
    with pytest.raises(UserError, match=r"index\.html is not what the image was made of"):
        device_files.bytes_to_send({"/index.html": File("0" * 64, source)})
