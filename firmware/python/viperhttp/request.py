# SPDX-License-Identifier: MIT
"""What a handler can know of its request."""

from asyncio import core
from collections import namedtuple

import _viperhttp

from viperhttp import signed_cookies
from viperhttp.errors import HTTPException
from viperhttp.state import State

_SAFE = "/-._~!$&'()*+,;=:@0123456789"  # in a path, beside letters
_calls = {}  # id(task) → the call that it works for


def _unquoted(data, status):
    """The names and values of a query or a form; `status` answers for too many of them."""
    try:
        return _viperhttp.parse_query(data)
    except ValueError:
        raise HTTPException(400, "bad escape in a query or form") from None
    except OverflowError as error:
        raise HTTPException(status, str(error)) from None


def _text(line):
    """A field's bytes as str: UTF-8, or what they were before there was that (RFC 9110, 5.5)."""
    try:
        return str(line, "utf-8")
    except UnicodeError:
        return "".join([chr(byte) for byte in line])


def _quoted(path):
    """A path as it stands in an address (RFC 3986, 3.3)."""
    return "".join(
        [chr(b) if chr(b) in _SAFE or chr(b).isalpha() else "%%%02X" % b for b in path.encode()]
    )


class Headers:
    """A request's header fields, by name in any case. Repeated ones are joined with ", ", and those
    of Cookie with "; "."""

    def __init__(self, lines):
        self._fields = {}
        for line in lines.split(b"\r\n"):
            name, colon, value = _text(line).partition(":")
            if colon:
                name, value = name.lower(), value.strip(" \t")
                before = self._fields.get(name)
                if before is not None:
                    value = before + ("; " if name == "cookie" else ", ") + value
                self._fields[name] = value

    def get(self, name, default=None):
        """A field by its name, in any case of letters; `default` where it is not there."""
        return self._fields.get(name.lower(), default)

    def __getitem__(self, name):
        return self._fields[name.lower()]

    def __contains__(self, name):
        return name.lower() in self._fields

    def __iter__(self):
        return iter(self._fields)

    def __len__(self):
        return len(self._fields)

    def items(self):
        """Pairs of name, in lower case, and value."""
        return self._fields.items()


Address = namedtuple("Address", ("host", "port"))


class Request:
    """A request; a handler gets it as its first argument, if that is called `request`, and by
    current_request()."""

    def __init__(self, call):
        self._call = call
        self._headers = None
        self.state = State()  # for middleware and handlers

    @property
    def method(self):
        """ "GET", "POST", …"""
        return self._call.method

    @property
    def path(self):
        """The path, decoded."""
        return self._call.path

    @property
    def url(self):
        """The whole address as the client has it: http://, the Host, the path as it is decoded and
        coded anew, and the query."""
        url = "http://" + self.headers.get("host", "") + _quoted(self._call.path)
        query = str(self._call.query, "utf-8")
        return url + "?" + query if query else url

    @property
    def client(self):
        """The address that the connection comes from: host, port."""
        return Address(*self._call.client)

    @property
    def default_status(self):
        """The status of an answer that does not say one: its route's status_code."""
        return self._call.default_status

    @property
    def headers(self):
        """The fields of the request by name: a Headers."""
        if self._headers is None:
            self._headers = Headers(self._call.fields)
        return self._headers

    @property
    def query(self):
        """The query's values by name, decoded; of a repeated name, the last. HTTPException 400 for
        a bad escape, and for more than VHTTP_NAMES_MAX names."""
        return _unquoted(self._call.query, 400)

    args = query

    @property
    def cookies(self):
        """The cookies' values by name."""
        cookies = {}
        for part in self.headers.get("cookie", "").split(";"):
            name, equals, value = part.strip().partition("=")
            if equals:
                cookies[name] = value.strip('"')
        return cookies

    def signed_cookie(self, name, key):
        """What set_signed_cookie has put into a cookie; None without one, and for one that was not
        made with this key."""
        return signed_cookies.verified(name, self.cookies.get(name, ""), key)

    def body(self):
        """The body's bytes, at most VHTTP_REQUEST_BODY_MAX."""
        return self._call.body

    def json(self):
        """The body's value. HTTPException 422 when it is no JSON (RFC 8259, to the letter), and 413
        when it has more names in an object, containers in each other, or digits in a number than
        VHTTP_NAMES_MAX, VHTTP_JSON_DEPTH_MAX and VHTTP_JSON_NUMBER_MAX."""
        try:
            return _viperhttp.parse_json(self._call.body)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        except OverflowError as error:
            raise HTTPException(413, str(error)) from None

    def form(self):
        """The fields of an x-www-form-urlencoded body. HTTPException 415 for another type, 400 for
        a bad escape, 413 for more than VHTTP_NAMES_MAX fields."""
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise HTTPException(415, "a form is application/x-www-form-urlencoded")
        return _unquoted(self._call.body, 413)

    @property
    def is_disconnected(self):
        """True when the client is gone, or has its whole response."""
        return self._call.is_over


def request_of(call):
    """The Request of a call of the server, the same for all who handle it."""
    if call.state is None:
        call.state = Request(call)
    return call.state


def current_request():
    """The request that the running handler answers. RuntimeError outside of handlers.

    A task that a handler creates has none: give it what it needs.
    """
    call = _viperhttp.current_call()
    if call is None and core.cur_task is not None:
        call = _calls.get(id(core.cur_task))
    if call is None:
        raise RuntimeError("no request is being handled here")
    return request_of(call)


def start_task(call, coroutine):
    """Runs a coroutine as the call's own task, at once to its first wait. It calls end_task()."""
    task = core.Task(coroutine, core.__dict__)
    _calls[id(task)] = call
    before, core.cur_task = core.cur_task, task
    try:
        coroutine.send(None)
    except (StopIteration, core.CancelledError) as end:
        task.data, task.state = end, None  # as asyncio leaves one that nobody waited for
    finally:
        core.cur_task = before


def end_task():
    """The call's own task is at its end."""
    _calls.pop(id(core.cur_task), None)
