# SPDX-License-Identifier: MIT
"""Routes: what is called for which method and path."""

import _viperhttp

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
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
    request, and its result given to the handler by name. TypeError for what cannot be called so."""

    def __init__(self, dependency):
        check_callable(dependency, "a dependency")
        self.dependency = dependency


class Route:
    """One entry of `routes`. TypeError and ValueError for what no request could be served by."""

    def __init__(self, methods, path, handler, query, deps, tags):
        if not callable(handler):
            raise TypeError("%s: the handler cannot be called: %r" % (path, handler))
        for method in methods or ("none",):
            if method not in _METHODS:
                raise ValueError("%s: no such method: %s" % (path, method))
        if not isinstance(query, dict) or not all(isinstance(q, Query) for q in query.values()):
            raise TypeError("%s: query is a dict of name and Query" % path)
        self.methods = methods
        self.path = path
        self.handler = handler
        self.query = query
        self.deps = deps
        self.tags = tags
        self.entry = None  # the C side's, whose first item it calls

    def under(self, prefix, deps, tags):
        """This route below a prefix, with the dependencies and tags of the router there."""
        path, deps, tags = prefix + self.path, deps + self.deps, tags + self.tags
        return Route(self.methods, path, self.handler, self.query, deps, tags)

    def bits(self):
        """Its methods as the C module takes them, a bit each."""
        bits = 0
        for method in self.methods:
            bits |= 1 << _METHODS.index(method)
        return bits

    def parameters(self):
        """As the C side wants them: (name, type's name, is required, default)."""
        return tuple(
            (name, query.type.__name__, query.default is ..., query.default)
            for name, query in self.query.items()
        )

    def check(self):
        """ValueError when the handler is not to be called with what the route gives it."""
        parts = [part for part in self.path.split("/") if part.startswith("{")]
        given = [part[1:-1].partition(":")[0] for part in parts]
        given += list(self.query)
        given += {name for name, _ in self.deps if name[0] != "_"}
        for name in given:
            if given.count(name) > 1:
                raise ValueError("%s: two parameters have the name '%s'" % (self.path, name))
        known = _viperhttp.parameters(self.handler)
        if known is None:
            return
        names, _, required, _, takes_any = known
        for name in given:
            if name not in names and not takes_any:
                raise ValueError("%s: the handler has no parameter '%s'" % (self.path, name))
        for name in required:
            if name not in given:
                raise ValueError("%s: nothing gives the handler its '%s'" % (self.path, name))


def _dependencies(deps):
    # A name that starts with "_" is not given to the handler.
    if isinstance(deps, dict):
        pairs = deps.items()
    else:
        pairs = (("_%d" % i, dep) for i, dep in enumerate(deps or ()))
    return tuple((n, (d if isinstance(d, Depends) else Depends(d)).dependency) for n, d in pairs)


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

    def route(self, path, methods=("GET",), query=None, deps=None, tags=None):
        """Decorates a handler. get, post, … are this for one method."""
        if not isinstance(path, str):
            raise TypeError("a route has a path, as in @app.get('/'): %r" % (path,))

        def decorate(handler):
            every_dep = self.deps + _dependencies(deps)
            every_tag = self.tags + tuple(tags or ())
            path_here = self.prefix + path
            self._add(Route(tuple(methods), path_here, handler, query or {}, every_dep, every_tag))
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
        """Adds all routes of `router`, as they are now."""
        deps, tags = self.deps + _dependencies(deps), self.tags + tuple(tags or ())
        for route in router.routes:
            self._add(route.under(self.prefix + prefix, deps, tags))
