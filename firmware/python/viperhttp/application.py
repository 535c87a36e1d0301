# SPDX-License-Identifier: MIT
"""The application: what is served, and the server that serves it."""

import sys

import _viperhttp

from viperhttp import tasks
from viperhttp.errors import HTTPException
from viperhttp.request import current_request, end_task, request_of, start_task
from viperhttp.responses import (
    JSONResponse,
    Response,
    ServedResponse,
    StreamingResponse,
    outcome,
    response_for,
    settled,
)
from viperhttp.routing import Router, check_callable, is_coroutine, name_of
from viperhttp.state import State


class ViperHTTP(Router):
    """An application and its server. Add to it first, then start; one server runs at a time.

    Only the main thread may use it: RuntimeError in another. What is added while the server runs
    raises RuntimeError too.
    """

    def __init__(self, title="ViperHTTP", version="0.1.0"):
        super().__init__()
        self.title = title
        self.version = version
        self._server = _viperhttp.Server(self._finish, self._fail, tasks.turn)
        self._middleware = []
        self._exception_handlers = []
        self._status_handlers = {}
        self._events = {"startup": [], "shutdown": []}
        self._url = None
        self.state = State()

    # ---- What is served

    def mount(self, path, folder, html=False, fallback=None, cache=None, immutable=None):
        """Serves the files below `folder` at `path`. Routes go before mounts.

        With `html`, a folder's address shows its index.html. `fallback` is the file below the
        folder that is served, with 200, for a path that has no file and whose last part has no dot,
        to clients that take HTML: an application of one page has its own addresses so.

        `cache` is for how many seconds browsers keep a file without asking, or a whole
        Cache-Control; files whose path below the mount starts with `immutable`, such as "assets/",
        are kept for ever: for names that change with what is in them. The fallback is always asked
        for.

        ValueError for a path that does not start with "/" or is mounted already.
        """
        start = "" if immutable is None else "/" + immutable.lstrip("/")
        self._server.mount(path, folder, html, fallback or "", _cache_control(cache), start)

    def mount_file(self, path, file, cache=None):
        """Serves one file at `path`. `cache` and ValueError as of mount()."""
        self._server.mount_file(path, file, _cache_control(cache))

    def mount_health(self, path="/health"):
        """Answers `path` with {"status": "ok"}, however busy Python is."""
        self._server.mount_health(path)

    def mount_metrics(self, path="/metrics"):
        """Answers `path` with the server's figures, in Prometheus' text format."""
        self._server.mount_metrics(path)

    def _add(self, route):
        route.check()
        route.entry = self._server.route(
            route.bits(), route.path, route.parameters(), route.status_code, route.handler
        )
        self.routes.append(route)

    def middleware(self, kind, everything=False):
        """Decorates `async def f(request, call_next)`, called around every handler.

        It returns `await call_next(request)`, a Response, or another one. The one added last is
        the outermost.

        With `everything` it also stands before what the server answers by itself: mounts, 404, 405
        and OPTIONS. Each such request then waits for Python, as a handler's does; call_next gives a
        ServedResponse.
        """
        if kind != "http":
            raise ValueError('the only kind of middleware is "http"')

        def decorate(function):
            self._check_stopped()
            check_callable(function, "middleware", 2)
            self._middleware.append((function, everything))
            return function

        return decorate

    def exception_handler(self, kind):
        """Decorates `f(request, exception)`, whose result answers for exceptions of this class, or
        for a status from 400 on.

        A status is that of an HTTPException; 500 is any exception that nobody answers for. Those
        that the server refuses by itself with 404, 405 or 413 are HTTPExceptions too, as soon as
        there is a handler for that status or for HTTPException.
        """
        if isinstance(kind, int) and not isinstance(kind, bool):
            return self._status_handler(kind)
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise TypeError("an exception handler is for a class of exceptions, not %r" % (kind,))

        self._check_stopped()
        for earlier, function in self._exception_handlers:
            if issubclass(kind, earlier):
                raise ValueError("%s answers for %s already" % (name_of(function), kind.__name__))

        def decorate(function):
            check_callable(function, "an exception handler", 2)
            self._exception_handlers.append((kind, function))
            return function

        return decorate

    def _status_handler(self, status):
        self._check_stopped()
        if not 400 <= status <= 599:
            raise ValueError("an exception has a status from 400 to 599, not %d" % status)
        if status in self._status_handlers:
            raise ValueError(
                "%s answers for %d already" % (name_of(self._status_handlers[status]), status)
            )

        def decorate(function):
            check_callable(function, "an exception handler", 2)
            self._status_handlers[status] = function
            return function

        return decorate

    def on_event(self, name):
        """Decorates a function called before the start ("startup") or the stop ("shutdown")."""
        functions = self._events[name]

        def decorate(function):
            self._check_stopped()
            check_callable(function, "an event's function")
            functions.append(function)
            return function

        return decorate

    def _check_stopped(self):
        if self._server.is_running():
            raise RuntimeError("stop the server before adding to it")

    # ---- Serving

    def start(self, port=80):
        """Starts to serve, and returns at once. Handlers run on the interpreter's thread whenever
        the program lets them: at the REPL, in asyncio, between two steps of a loop.

        OSError when the port is taken or memory does not suffice; RuntimeError when a server runs.
        """
        for route in self.routes:
            route.entry[0] = self._handler_for(route)
        self._server.unrouted(self._handler_of_the_rest())
        self._server.refused(_refuse, self._refusals())
        self._run_events("startup")
        self._url = self._server.start(port)

    def stop(self):
        """Closes every connection and frees the server's memory; may be called at any time."""
        if self._server.is_running():
            self._run_events("shutdown")
        self._server.stop()
        self._url = None

    def run(self, port=80, wifi=False):
        """Serves until stop() is called or Ctrl-C comes. asyncio's tasks run meanwhile.

        `wifi`: True joins the network that the board keeps, or opens its own (viperhttp.wifi); a
        pair (ssid, password) joins that one, OSError when it is not there within 15 s. Ignored
        where the board has no Wi-Fi.
        """
        import asyncio

        if wifi:
            _join(wifi)
        self.start(port)
        try:
            asyncio.run(self._until_stopped())
        finally:
            self.stop()

    async def _until_stopped(self):
        import asyncio

        while self._server.is_running():
            await asyncio.sleep_ms(200)

    @property
    def is_running(self):
        """Whether the server takes connections."""
        return self._server.is_running()

    @property
    def url(self):
        """The server's address, or None while it is stopped."""
        return self._url

    def _run_events(self, name):
        from asyncio import core

        for function in self._events[name]:
            result = function()
            if is_coroutine(result):
                if core.cur_task is None:
                    core.run(result)
                else:
                    core.create_task(result)

    # ---- Handling

    def _handler_for(self, route):
        # A handler that nothing stands around is called by the C side itself.
        handler = route.around(route.handler)
        if route.takes_request():
            handler = _with_request(handler)
        if route.deps:
            handler = _with_dependencies(route.deps, handler)
        return self._behind([function for function, _ in self._middleware], handler)

    def _handler_of_the_rest(self):
        functions = [function for function, everything in self._middleware if everything]
        return self._behind(functions, ServedResponse) if functions else None

    def _refusals(self):
        """The server's refusals that somebody answers for, a bit each."""
        kinds = [kind for kind, _ in self._exception_handlers if kind is not Exception]
        for_all = any([issubclass(HTTPException, kind) for kind in kinds])
        return sum([bit for status, bit in _REFUSALS if for_all or status in self._status_handlers])

    def _behind(self, middleware, handler):
        if not middleware:
            return handler

        async def innermost(request):
            try:
                result = handler(**request._parameters)
                if is_coroutine(result):
                    result = await outcome(result)
            except Exception as error:
                result = await self._result_for(request, error)
            return response_for(result, request.default_status)

        call_next = innermost
        for function in middleware:
            call_next = _bind(function, call_next)

        def around(**parameters):
            request = current_request()
            request._parameters = parameters
            return call_next(request)

        return around

    def _finish(self, call, result):
        """Sends what a handler returned and is not a plain value."""
        if is_coroutine(result):
            start_task(call, self._complete(call, result))
        elif not _sent(call, settled(result, call.default_status)):
            start_task(call, self._complete(call, result))

    async def _complete(self, call, result):
        try:
            try:
                value = settled(await outcome(result), call.default_status)
                if not _sent(call, value):
                    await value.send(call)
            except Exception as error:
                if call.is_over:
                    return  # the client has gone
                if call.has_begun:
                    _log(call, error)
                    return
                value = settled(await self._result_for(request_of(call), error), 200)
                if not _sent(call, value):
                    await value.send(call)
        except Exception as error:
            _log(call, error)
        finally:
            call.done()
            end_task()

    def _fail(self, call, error):
        """A handler raised before it returned anything."""
        start_task(call, self._complete(call, self._result_for(request_of(call), error)))

    async def _result_for(self, request, error):
        """The Response to an exception."""
        has_status = isinstance(error, HTTPException)
        function = self._status_handlers.get(error.status_code) if has_status else None
        status = error.status_code if has_status else 200
        for kind, of_class in self._exception_handlers:
            if function is None and isinstance(error, kind):
                function = of_class
        if function is None and not has_status:
            _log(request, error)
            status = 500
            function = self._status_handlers.get(500)
        if function is not None:
            response = response_for(await outcome(function(request, error)), status)
        elif has_status:
            return JSONResponse({"detail": error.detail}, status, error.headers)
        else:
            return JSONResponse({"detail": "Internal Server Error"}, 500)
        if isinstance(error, _Refusal) and error.headers:
            response.headers.update(error.headers)
        return response


_REFUSALS = ((404, 1), (405, 2), (413, 4))  # status, and the bit that it is for the C side
_WORDS = {404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}


class _Refusal(HTTPException):
    """What the server refuses by itself."""


def _refuse(status, allow):
    raise _Refusal(status, _WORDS[status], {"Allow": allow} if allow else None)


def _cache_control(cache):
    """The field that `cache` of a mount stands for."""
    if cache is None or isinstance(cache, str):
        if any([not " " <= c <= "~" for c in cache or ""]):
            raise ValueError("no Cache-Control: %r" % cache)
        return cache or ""
    if not isinstance(cache, int) or isinstance(cache, bool) or cache < 0:
        raise ValueError("cache is a number of seconds, or a Cache-Control: %r" % (cache,))
    return "public, max-age=%d" % cache


def _with_request(handler):
    def handle(**parameters):
        return handler(current_request(), **parameters)

    return handle


def _with_dependencies(deps, handler):
    async def handle(**parameters):
        for name, dep in deps:
            value = dep.dependency(current_request()) if dep.takes_request else dep.dependency()
            if is_coroutine(value):
                value = await outcome(value)
                if isinstance(value, StreamingResponse):
                    raise TypeError("a dependency cannot yield")
            if name[0] != "_":
                parameters[name] = value
        result = handler(**parameters)
        return await outcome(result) if is_coroutine(result) else result

    return handle


def _bind(function, call_next):
    def bound(request):
        return function(request, call_next)

    return bound


def _sent(call, value):
    """Sends what is sent at once; False for a response that has a coroutine for it."""
    if isinstance(value, Response):
        if type(value).send is not Response.send:
            return False
        call.respond(value.status_code, value.headers, value.content)
    elif not call.send(value):
        raise TypeError("a handler cannot return %s" % type(value).__name__)
    return True


def _log(request, error):
    print("viperhttp: %s %s" % (request.method, request.path), file=sys.stderr)
    sys.print_exception(error, sys.stderr)


def _join(wifi):
    from viperhttp import wifi as board

    if wifi is True:
        board.start()
    elif board.network is not None:
        board.join(*wifi)
