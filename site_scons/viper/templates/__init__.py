"""Jinja templates compiled on this computer into Python for the device.

Jinja2 itself parses them, so the language is that of its "Template Designer Documentation". What
is compiled: expressions, the filters and tests of viperhttp.template_runtime, if, for, set, with,
include, extends and blocks with super(), autoescape. All else is refused, with file and line.

A template becomes one module with one function, render(context). What it extends and includes is
folded in, so that the device looks nothing up; a template cannot include itself, therefore.
"""
