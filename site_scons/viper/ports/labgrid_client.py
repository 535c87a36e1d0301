# SPDX-License-Identifier: MIT
"""The user's own labgrid-client, which asks a lab's coordinator: its version is the lab's.

What it prints is described in labgrid's sources (26.0): `show` in remote/client.py (print_place)
and Place.show in remote/common.py, a resource as Python prints a dictionary.
"""

from __future__ import annotations

import ast
import getpass
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from viper.base import process
from viper.base.errors import UserError
from viper.base.schema import Nonsense, Record

PROGRAM = "labgrid-client"
_LIMIT_S = 20.0  # gRPC gives up on a silent coordinator a little later
_HOST_MAX = 253  # characters of a name in DNS
_PORT_MAX = 65535

# They would let the client work on other places, or want a configuration of drivers.
_NOT_OURS = ("LG_ENV", "LG_STATE", "LG_INITIAL_STATE", "STATE", "PYTHONPATH")


@dataclass(frozen=True)
class SerialPort:
    """A serial port of a place, as its exporter offers it.

    Attributes:
        path: exporter/group/class/name.
        host, port: where it is; port None until the exporter serves it.
        protocol: "rfc2217" or "raw".
        proxy: the computer that it is reached through by ssh, "" if it is reached directly.
    """

    path: str
    host: str
    port: int | None
    protocol: str
    proxy: str

    @property
    def exporter(self) -> str:
        """The computer that offers it, the first part of its path."""
        return self.path.split("/")[0]


@dataclass(frozen=True)
class Place:
    """A place, as `show` and `places` tell it.

    Attributes:
        holder: who has acquired it, "host/user"; "" if nobody has.
        allowed: who else may use it meanwhile.
        serial_ports: those that it has or, while nobody holds it, would have.
        gone: paths of what its holder had and no exporter offers any more.
    """

    name: str
    holder: str
    allowed: tuple[str, ...] = ()
    serial_ports: tuple[SerialPort, ...] = ()
    gone: tuple[str, ...] = ()


class Refused(Exception):
    """labgrid-client answered no, in these words."""


def coordinator() -> str:
    """The address of the lab's coordinator."""
    return os.environ.get("LG_COORDINATOR", "127.0.0.1:20408")


def called(place: str) -> str:
    """What errors call a place."""
    return f"PORT=labgrid:{place}"


def places() -> list[Place]:
    """Every place of the lab, without its serial ports.

    Raises:
        UserError: labgrid-client is missing, or the coordinator is silent.
    """
    printed = _run("--verbose", "places")
    return [read_place(block) for block in re.split(r"^(?=Place ')", printed, flags=re.M)[1:]]


def look(place: str) -> Place:
    """What there is to know of a place.

    Args:
        place: its name, an alias, a part of either, or + and a reservation's token.

    Raises:
        UserError: there is none, or more than one; or as with `places`.
    """
    try:
        return read_place(_run("--place", place, "show"))
    except Refused as refusal:
        raise UserError(f"{called(place)}: {refusal}", f"{PROGRAM} places lists them") from None


def read_place(printed: str) -> Place:
    """Read what `show` prints, and `places` for each place.

    Raises:
        UserError: it is something else.
    """
    try:
        return _read_place(printed)
    except Nonsense as why:
        raise UserError(
            f"what {PROGRAM} prints of a place cannot be understood: {why}",
            f"is it the lab's version? {PROGRAM} --version",
        ) from None


def _read_place(printed: str) -> Place:
    found = re.search(r"^Place '(.*)':$", printed, re.M)
    if found is None:
        raise Nonsense("it names none")
    head, *resources = re.split(
        r"^(?=(?:Acquired|Matching|Orphaned) resource ')", printed, flags=re.M
    )
    holder = re.search(r"^  acquired: (.+)$", head, re.M)
    allowed = re.search(r"^  allowed: (.+)$", head, re.M)
    return Place(
        name=found[1],
        holder="" if holder is None or holder[1] == "None" else holder[1],
        allowed=tuple(allowed[1].split(", ")) if allowed else (),
        serial_ports=tuple(filter(None, map(_serial_port, resources))),
        gone=tuple(re.findall(r"^Orphaned resource '.*' \((.*)\)$", printed, re.M)),
    )


def _serial_port(printed: str) -> SerialPort | None:
    """Read what `show` prints of a resource; None if it is something else."""
    title, _, body = printed.partition("\n")
    path = re.search(r"\(([^()]*/[^()]*/([^()/]*)/[^()]*)\)", title)
    if path is None:
        raise Nonsense("a resource has no path")
    if path[2] != "NetworkSerialPort" or not body.strip():
        return None
    params = _dictionary(body).record("params")
    extra = params.record("extra") if "extra" in params else Record({})
    isolated = extra.word("proxy") if "proxy" in extra and extra.truth("proxy_required") else ""
    has_port = "port" in params and not params.is_null("port")
    return SerialPort(
        path=path[1],
        host=params.word("host", _HOST_MAX),
        port=params.number("port", 1, _PORT_MAX) if has_port else None,
        protocol=params.word("protocol") if "protocol" in params else "rfc2217",
        proxy=isolated or os.environ.get("LG_PROXY", ""),
    )


def _dictionary(printed: str) -> Record:
    """A dictionary as Python prints it."""
    try:
        return Record(ast.literal_eval(printed.strip()))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as problem:
        if isinstance(problem, Nonsense):
            raise
        raise Nonsense("a resource is no dictionary") from None


@contextmanager
def acquired(place: str) -> Iterator[tuple[str, bool]]:
    """Have a place, and release it again, unless it was the user's before.

    Args:
        place: as in `look`.

    Yields:
        Its serial port as rfc2217://host:port, and whether it was acquired for this.

    Raises:
        UserError: it cannot be had, has no serial port of use, or was not released.
    """
    refusal = _try_to_acquire(place)
    name = place
    try:
        seen = look(place)
        name = seen.name
        if refusal is not None and not _may_use(seen):
            raise _not_acquired(place, seen, refusal)
        yield _address(place, seen), refusal is None
    finally:
        if refusal is None:
            _release(name)


def _try_to_acquire(place: str) -> Refused | None:
    """Acquire a place; why it was refused, if it was."""
    try:
        _run("--place", place, "acquire")
    except Refused as refusal:
        return refusal
    return None


def _release(name: str) -> None:
    command = f"{PROGRAM} --place {name} release"
    try:
        _run("--place", name, "release")
    except Refused as refusal:
        raise UserError(f"{called(name)} was not released: {refusal}", command) from None
    except UserError as problem:
        raise UserError(f"{called(name)} was not released: {problem.what}", command) from None


def _may_use(place: Place) -> bool:
    """Whether this user holds a place, or its holder lets them use it."""
    host = os.environ.get("LG_HOSTNAME", socket.gethostname())
    user = os.environ.get("LG_USERNAME", getpass.getuser())
    return f"{host}/{user}" in (place.holder, *place.allowed)


def _not_acquired(place: str, seen: Place, refusal: Refused) -> UserError:
    """The error for a place that somebody else has, or that is not complete."""
    if seen.holder:
        return UserError(
            f"{called(place)} is in use: {seen.holder} has acquired it",
            how_to_wait(seen),
        )
    return UserError(
        f"{called(place)} cannot be acquired: {refusal}",
        f"is its exporter running? {PROGRAM} resources lists what the lab has",
    )


def how_to_wait(place: Place) -> str:
    """What a person types to be the next who may acquire a place."""
    return f"to wait for it: {PROGRAM} reserve --wait name={place.name}"


def _address(place: str, seen: Place) -> str:
    """The one serial port of a place, if it can be used from here: rfc2217://host:port."""
    if seen.gone:
        raise UserError(
            f"{called(place)}: its exporter {seen.gone[0].split('/')[0]} has gone",
            "start labgrid-exporter there, then release the place and try again",
        )
    if len(seen.serial_ports) != 1:
        paths = ", ".join(port.path for port in seen.serial_ports)
        change = "del-match" if paths else "add-match"
        raise UserError(
            f"{called(place)} has "
            + (f"several serial ports: {paths}" if paths else "no serial port"),
            f"{PROGRAM} --place {seen.name} {change} EXPORTER/GROUP/NetworkSerialPort",
        )
    (serial,) = seen.serial_ports
    if serial.port is None:
        raise UserError(
            f"{called(place)}: its board is not plugged in at {serial.exporter}", "plug it in there"
        )
    if serial.protocol != "rfc2217":
        raise UserError(
            f"{called(place)}: {serial.path} is served as {serial.protocol}, without the lines DTR "
            "and RTS that reset a board",
            "let its exporter offer it as USBSerialPort, or with protocol: rfc2217",
        )
    if serial.proxy:
        raise UserError(
            f"{called(place)}: {serial.host} is reached by ssh to {serial.proxy} only",
            f"{PROGRAM} --place {seen.name} acquire; "
            f"ssh -N -L {serial.port}:{serial.host}:{serial.port} {serial.proxy}; then "
            f"PORT=rfc2217://127.0.0.1:{serial.port}",
        )
    return f"rfc2217://{serial.host}:{serial.port}"


def _run(*arguments: str) -> str:
    """What the client prints.

    Raises:
        Refused: it failed, in its own words.
        UserError: it is missing, or the coordinator is silent.
    """
    if shutil.which(PROGRAM) is None:
        raise UserError(
            f"{PROGRAM} is not on PATH", "pipx install labgrid, in the version of the coordinator"
        )
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    try:
        return process.run(
            [PROGRAM, *arguments],
            environment={**kept, "PYTHONUNBUFFERED": "1"},
            silence_s=_LIMIT_S,
        )
    except process.ToolFailed as failure:
        if failure.status is None or "Could not connect to coordinator" in failure.output:
            raise UserError(
                f"no labgrid coordinator answers at {coordinator()}",
                "give its address: export LG_COORDINATOR=host:20408",
            ) from None
        raise Refused(_words(failure.output)) from None


def _words(output: str) -> str:
    """What the client said when it failed, on one line."""
    lines = output.splitlines()
    if any(line.startswith("Traceback ") for line in lines):
        lines = lines[-1:]
    said = [line.rpartition("Error: ")[2].strip().rstrip(".") for line in lines]
    return "; ".join(filter(None, said)) or "without a word"
