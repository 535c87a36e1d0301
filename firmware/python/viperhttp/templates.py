# SPDX-License-Identifier: MIT
"""Pages from templates that were compiled into the folder `templates` of the device."""

from viperhttp.responses import HTMLResponse


def render(name, context=None):
    """The text of a template, `name` being its path: "page.html", "users/list.html".

    `context` is a dict of what the template may name. ImportError when there is no such template;
    template_runtime.UndefinedError when it goes into a value that there is not.
    """
    module = "".join([c if c.isalpha() or c.isdigit() else "_" for c in name])
    return getattr(__import__("templates." + module), module).render(context or {})


class TemplateResponse(HTMLResponse):
    """A page from a template; arguments as of render() and Response."""

    def __init__(self, name, context=None, status_code=200, headers=None):
        super().__init__(render(name, context), status_code, headers)
