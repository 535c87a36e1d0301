# SPDX-License-Identifier: MIT
"""Routes: what is called for which method and path."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GENERATOR = type((lambda: (yield))())


def is_coroutine(value):
    return isinstance(value, _GENERATOR)


class Query:
    """A query parameter: its default, and the type that its text is converted to.

    The type is str, int, float or bool. Without a default the parameter must be there; a request
    that lacks it, or whose text is no such value, is answered with 422.
    """

    def __init__(self, default=..., type=str):
        if type not in (str, int, float, bool):
            raise ValueError("a query parameter is str, int, float or bool")
        self.default = default
        self.type = type


class Depends:
    """Something that a handler needs: `dependency()` is called, and awaited if need be, for each
    request, and its result given to the handler by name."""

    def __init__(self, dependency):
        self.dependency = dependency


class Route:
    """One entry of `routes`."""

    def __init__(self, methods, path, handler, query, deps, tags):
        self.methods = methods
        self.path = path
        self.handler = handler
        self.query = query
        self.deps = deps
        self.tags = tags
        self.entry = None  # the C side's, whose first item it calls

    def under(self, prefix, deps, tags):
        path, deps, tags = prefix + self.path, deps + self.deps, tags + self.tags
        return Route(self.methods, path, self.handler, self.query, deps, tags)

    def bits(self):
        bits = 0
        for method in self.methods:
            if method not in _METHODS:
                raise ValueError("no such method: %s" % method)
            bits |= 1 << _METHODS.index(method)
        return bits

    def parameters(self):
        """As the C side wants them: (name, type's name, is required, default)."""
        return tuple(
            (name, query.type.__name__, query.default is ..., query.default)
            for name, query in self.query.items()
        )


def _dependencies(deps):
    # A name that starts with "_" is not given to the handler.
    if isinstance(deps, dict):
        pairs = deps.items()
    else:
        pairs = (("_%d" % i, dep) for i, dep in enumerate(deps or ()))
    return tuple((n, d.dependency if isinstance(d, Depends) else d) for n, d in pairs)


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

        def decorate(handler):
            every_dep = self.deps + _dependencies(deps)
            every_tag = self.tags + tuple(tags or ())
            path_here = self.prefix + path
            self._add(Route(tuple(methods), path_here, handler, query or {}, every_dep, every_tag))
            return handler

        return decorate

    def get(self, path, **options):
        return self.route(path, ("GET",), **options)

    def post(self, path, **options):
        return self.route(path, ("POST",), **options)

    def put(self, path, **options):
        return self.route(path, ("PUT",), **options)

    def patch(self, path, **options):
        return self.route(path, ("PATCH",), **options)

    def delete(self, path, **options):
        return self.route(path, ("DELETE",), **options)

    def options(self, path, **options):
        return self.route(path, ("OPTIONS",), **options)

    def head(self, path, **options):
        return self.route(path, ("HEAD",), **options)

    def include_router(self, router, prefix="", tags=None, deps=None):
        """Adds all routes of `router`, as they are now."""
        deps, tags = self.deps + _dependencies(deps), self.tags + tuple(tags or ())
        for route in router.routes:
            self._add(route.under(self.prefix + prefix, deps, tags))
