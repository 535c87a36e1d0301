# SPDX-License-Identifier: MIT
"""Routes: what is called for which method and path."""

import _viperhttp

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GENERATOR = type((lambda: (yield))())


def is_coroutine(value):
    """Whether a value is what a coroutine function returns: it is to be awaited."""
    return isinstance(value, _GENERATOR)


def check_callable(function, what, count=0):
    """TypeError for what cannot be called with `count` arguments, as far as one can know."""
    if not callable(function):
        raise TypeError("%s cannot be called: %r" % (what, function))
    known = _viperhttp.parameters(function)
    if known is None:
        return
    names, positional, required, takes_more, _ = known
    if (positional < count and not takes_more) or not set(required) <= set(names[:count]):
        raise TypeError("%s is called with %d arguments" % (what, count))


def takes_request(function):
    """Whether the first parameter of a function is `request`, which it then gets."""
    known = _viperhttp.parameters(function)
    return known is not None and known[1] > 0 and known[0][0] == "request"


class Query:
    """A query parameter: its default, and the type that its text is converted to.

    The type is str, int, float or bool. Without a default the parameter must be there; a request
    that lacks it, or whose text is no such value, is answered with 422. ValueError for another
    type, and for a default that is neither of the type nor None.
    """

    def __init__(self, default=..., type=str):
        if type not in (str, int, float, bool):
            raise ValueError("a query parameter is str, int, float or bool")
        kinds = (int, float) if type is float else type
        if default is not ... and default is not None and not isinstance(default, kinds):
            raise ValueError("the default of a query parameter is of its type, or None")
        self.default = default
        self.type = type


class Depends:
    """Something that a handler needs: `dependency()` is called, and awaited if need be, for each
    request, and its result given to the handler by name. One whose first parameter is `request`
    gets that. TypeError for what cannot be called so."""

    def __init__(self, dependency):
        self.takes_request = takes_request(dependency)
        check_callable(dependency, "a dependency", 1 if self.takes_request else 0)
        self.dependency = dependency


class Route:
    """One entry of `routes`. TypeError and ValueError for what no request could be served by."""

    def __init__(self, methods, path, handler, around, query, deps, tags, status_code):
        where = "%s, %s" % (path, name_of(handler))
        if not callable(handler):
            raise TypeError("%s cannot be called" % where)
        if isinstance(handler, type) and hasattr(handler, "__module__"):
            raise TypeError("%s is a class: of handlers it is one for route()" % where)
        for method in methods or ("none",):
            if method not in METHODS:
                raise ValueError("%s: no such method: %s" % (where, method))
        if not isinstance(query, dict) or not all(isinstance(q, Query) for q in query.values()):
            raise TypeError('%s: query is a dict such as {"page": Query(1, int)}' % where)
        if not isinstance(status_code, int) or not 200 <= status_code <= 599:
            raise ValueError("%s: no such status: %r" % (where, status_code))
        self.methods = methods
        self.path = path
        self.handler = handler
        self.around = around  # gives what is called, of the handler
        self.query = query
        self.deps = deps
        self.tags = tags
        self.status_code = status_code  # of answers that have none of their own
        self.entry = None  # the C side's, whose first item it calls

    def under(self, prefix, deps, tags):
        """This route below a prefix, with the dependencies and tags of the router there."""
        path, deps, tags = prefix + self.path, deps + self.deps, tags + self.tags
        return Route(
            self.methods,
            path,
            self.handler,
            self.around,
            self.query,
            deps,
            tags,
            self.status_code,
        )

    def bits(self):
        """Its methods as the C module takes them, a bit each."""
        bits = 0
        for method in self.methods:
            bits |= 1 << METHODS.index(method)
        return bits

    def parameters(self):
        """As the C side wants them: (name, type's name, is required, default)."""
        return tuple(
            (name, query.type.__name__, query.default is ..., query.default)
            for name, query in self.query.items()
        )

    def given(self):
        """The names of what the handler gets: of its path, its query and its dependencies."""
        parts = [part for part in self.path.split("/") if part.startswith("{")]
        given = [part[1:-1].partition(":")[0] for part in parts]
        given += list(self.query)
        return given + [name for name in {name for name, _ in self.deps} if name[0] != "_"]

    def takes_request(self):
        """Whether the handler gets the request, as its first argument."""
        return takes_request(self.handler) and "request" not in self.given()

    def check(self):
        """ValueError when the handler is not to be called with what the route gives it."""
        where = "%s, %s" % (self.path, name_of(self.handler))
        given = self.given()
        for name in given:
            if given.count(name) > 1:
                raise ValueError("%s: two parameters have the name '%s'" % (where, name))
        known = _viperhttp.parameters(self.handler)
        if known is None:
            return
        names, _, required, _, takes_any = known
        for name in given:
            if name not in names and not takes_any:
                raise ValueError("%s: the handler has no parameter '%s'" % (where, name))
        if self.takes_request():
            required = [name for name in required if name != "request"]
        for name in required:
            if name not in given:
                raise ValueError(
                    "%s: nothing gives the handler its '%s': it gets what path, query and deps "
                    "name, and the request if its first parameter is 'request'" % (where, name)
                )


def name_of(function):
    """What a function is called, for a message."""
    return getattr(function, "__name__", None) or repr(function)


def _handlers_of(kind):
    """The handlers that a class has by the names of methods, of an object of it that is made now;
    () for what is no such class."""
    if not isinstance(kind, type) or not hasattr(kind, "__module__"):
        return ()
    methods = [method for method in METHODS if hasattr(kind, method.lower())]
    instance = kind() if methods else None
    return [(method, getattr(instance, method.lower())) for method in methods]


def _dependencies(deps):
    # A name that starts with "_" is not given to the handler.
    if isinstance(deps, dict):
        pairs = deps.items()
    else:
        pairs = (("_%d" % i, dep) for i, dep in enumerate(deps or ()))
    return tuple((name, dep if isinstance(dep, Depends) else Depends(dep)) for name, dep in pairs)


class Router:
    """Routes that an application includes, below `prefix` and with the dependencies `deps`.

    `deps` is a dict of name → Depends, or a list of Depends whose results nobody wants.
    """

    def __init__(self, prefix="", tags=None, deps=None):
        self.prefix = prefix
        self.tags = tuple(tags or ())
        self.deps = _dependencies(deps)
        self.routes = []

    def _add(self, route):
        self.routes.append(route)

    def _around(self, handler):
        """What is called in a handler's place."""
        return handler

    def route(self, path, methods=None, query=None, deps=None, tags=None, status_code=200):
        """Decorates a handler, of GET requests if `methods` does not say more. get, post, … are
        this for one method. Of a class, an object is made now, and its methods get, post, … are the
        handlers of theirs.

        `status_code` is the status of answers that do not say one themselves.
        """
        if not isinstance(path, str):
            raise TypeError('a route has a path: @app.get("/"), not %r' % (path,))
        every_dep = self.deps + _dependencies(deps)
        every_tag = self.tags + tuple(tags or ())

        def add(methods, handler):
            self._add(
                Route(
                    tuple(methods),
                    self.prefix + path,
                    handler,
                    self._around,
                    query or {},
                    every_dep,
                    every_tag,
                    status_code,
                )
            )

        def decorate(handler):
            handlers = _handlers_of(handler) if methods is None else ()
            for method, function in handlers:
                add((method,), function)
            if not handlers:
                add(("GET",) if methods is None else methods, handler)
            return handler

        return decorate

    def get(self, path, **options):
        """Decorates the handler of GET requests; see `route`."""
        return self.route(path, ("GET",), **options)

    def post(self, path, **options):
        """Decorates the handler of POST requests; see `route`."""
        return self.route(path, ("POST",), **options)

    def put(self, path, **options):
        """Decorates the handler of PUT requests; see `route`."""
        return self.route(path, ("PUT",), **options)

    def patch(self, path, **options):
        """Decorates the handler of PATCH requests; see `route`."""
        return self.route(path, ("PATCH",), **options)

    def delete(self, path, **options):
        """Decorates the handler of DELETE requests; see `route`."""
        return self.route(path, ("DELETE",), **options)

    def options(self, path, **options):
        """Decorates the handler of OPTIONS requests; see `route`."""
        return self.route(path, ("OPTIONS",), **options)

    def head(self, path, **options):
        """Decorates the handler of HEAD requests; see `route`."""
        return self.route(path, ("HEAD",), **options)

    def include_router(self, router, prefix="", tags=None, deps=None):
        """Adds all routes of `router`, as they are now. TypeError: it is none."""
        if not isinstance(router, Router):
            raise TypeError("a Router is included, not %r" % (router,))
        deps, tags = self.deps + _dependencies(deps), self.tags + tuple(tags or ())
        for route in router.routes:
            self._add(route.under(self.prefix + prefix, deps, tags))
