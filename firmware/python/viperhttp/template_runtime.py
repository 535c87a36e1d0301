# SPDX-License-Identifier: MIT
"""What compiled templates call: Jinja's filters and tests, and how values become text.

Arguments, results and names of arguments are those of Jinja2's filters and tests. A module of its
own, which stands on one function in C, so that the same file is tested on a computer.
"""

from _viperhttp import escape_html


class Markup:
    """Text that is HTML already, and is not escaped again."""

    def __init__(self, content):
        self.content = content

    def __str__(self):
        return self.content

    def __len__(self):
        return len(self.content)

    def __eq__(self, other):
        return self.content == (other.content if isinstance(other, Markup) else other)

    def __hash__(self):
        return hash(self.content)


class UndefinedError(Exception):
    """A template goes into a value that there is not."""


class _Undefined:
    def __str__(self):
        return ""

    def __bool__(self):
        return False

    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())


UNDEFINED = _Undefined()
_MISSING = object()


def text(value):
    return value if isinstance(value, str) else str(value)


def escape(value):
    """The text of a value for HTML."""
    if isinstance(value, Markup):
        return value.content
    return escape_html(value if isinstance(value, str) else str(value))


def attribute(of, name):
    """of.name, or else of["name"]; going into what is undefined raises UndefinedError."""
    value = getattr(of, name, _MISSING)
    return _found(of, name) if value is _MISSING else value


def item(of, key):
    """of[key], or else the attribute of that name."""
    value = _found(of, key)
    if value is UNDEFINED and isinstance(key, str):
        return getattr(of, key, UNDEFINED)
    return value


def _found(of, key):
    if isinstance(of, dict):
        return of.get(key, UNDEFINED)
    if of is UNDEFINED:
        raise UndefinedError("%r of an undefined value" % (key,))
    try:
        return of[key]
    except (IndexError, KeyError, TypeError, AttributeError):
        return UNDEFINED


def concat(*parts):
    """Parts as one text, which is HTML if one of them is."""
    if any(isinstance(part, Markup) for part in parts):
        return Markup("".join([escape(part) for part in parts]))
    return concat_text(*parts)


def concat_text(*parts):
    return "".join([text(part) for part in parts])


def _like(value, result):
    return Markup(result) if isinstance(value, Markup) else result


def _path(value, attribute_path):
    """`attribute` of a filter: names and indices with dots between."""
    if attribute_path is None:
        return value
    if isinstance(attribute_path, int):
        return item(value, attribute_path)
    for part in attribute_path.split("."):
        value = item(value, int(part) if part.isdigit() else part)
    return value


def _folded(value):
    return value.lower() if isinstance(value, str) else value


def do_abs(x):
    return abs(x)


def do_capitalize(s):
    s = text(s)
    return s[:1].upper() + s[1:].lower()


def do_center(value, width=80):
    content = text(value)
    room = max(0, width - len(content))
    left = room // 2 + (room & width & 1)
    return _like(value, " " * left + content + " " * (room - left))


def do_default(value, default_value="", boolean=False):
    return default_value if value is UNDEFINED or (boolean and not value) else value


def do_dictsort(value, case_sensitive=False, by="key", reverse=False):
    at = {"key": 0, "value": 1}[by]
    fold = (lambda v: v) if case_sensitive else _folded
    return sorted(value.items(), key=lambda pair: fold(pair[at]), reverse=reverse)


def do_escape(s):
    return s if isinstance(s, Markup) else Markup(escape(s))


def do_forceescape(value):
    return Markup(escape(text(value)))


def do_filesizeformat(value, binary=False):
    size = float(value)
    base = 1024 if binary else 1000
    if size == 1:
        return "1 Byte"
    if size < base:
        return "%d Bytes" % size
    unit = base
    for prefix in "kMGTPEZY":  # noqa: B007
        unit *= base
        if size < unit:
            break
    name = (prefix.upper() + "iB") if binary else prefix + "B"
    return "%.1f %s" % (base * size / unit, name)


def do_first(seq):
    for value in seq:
        return value
    return UNDEFINED


def do_last(seq):
    last = UNDEFINED
    for last in seq:  # noqa: B007
        pass
    return last


def do_float(value, default=0.0):
    try:
        return float(value if isinstance(value, (int, float)) else text(value))
    except (TypeError, ValueError):
        return default


def do_int(value, default=0, base=10):
    try:
        return int(text(value), base) if not isinstance(value, (int, float)) else int(value)
    except (TypeError, ValueError):
        try:
            return int(float(text(value)))
        except (TypeError, ValueError, OverflowError):
            return default


def do_indent(s, width=4, first=False, blank=False):
    indention = " " * width if isinstance(width, int) else width
    lines = text(s).split("\n")
    rest = [indention + line if line or blank else line for line in lines[1:]]
    result = "\n".join([lines[0]] + rest)
    return _like(s, indention + result if first else result)


def do_items(value):
    return () if value is UNDEFINED else value.items()


def do_join(value, d="", attribute=None):
    values = [_path(one, attribute) for one in value]
    if isinstance(d, Markup) or any(isinstance(one, Markup) for one in values):
        return Markup(escape(d).join([escape(one) for one in values]))
    return text(d).join([text(one) for one in values])


def do_length(obj):
    return len(obj)


def do_list(value):
    return list(value)


def do_lower(s):
    return _like(s, text(s).lower())


def do_upper(s):
    return _like(s, text(s).upper())


def _extreme(choose, value, case_sensitive, attribute):
    values = list(value)
    if not values:
        return UNDEFINED
    fold = (lambda v: v) if case_sensitive else _folded
    return choose(values, key=lambda one: fold(_path(one, attribute)))


def do_max(value, case_sensitive=False, attribute=None):
    return _extreme(max, value, case_sensitive, attribute)


def do_min(value, case_sensitive=False, attribute=None):
    return _extreme(min, value, case_sensitive, attribute)


def do_replace(s, old, new, count=None):
    is_markup = isinstance(s, Markup) or isinstance(old, Markup) or isinstance(new, Markup)
    how = escape if is_markup else text
    result = how(s).replace(how(old), how(new), -1 if count is None else count)
    return Markup(result) if is_markup else result


def do_reverse(value):
    if isinstance(value, str):
        return "".join([value[at] for at in range(len(value) - 1, -1, -1)])
    return reversed(list(value))


def do_round(value, precision=0, method="common"):
    if method == "common":
        return round(value, precision)
    import math

    scale = 10**precision
    return {"ceil": math.ceil, "floor": math.floor}[method](value * scale) / scale


def do_safe(value):
    return value if isinstance(value, Markup) else Markup(text(value))


def do_sort(value, reverse=False, case_sensitive=False, attribute=None):
    fold = (lambda v: v) if case_sensitive else _folded
    paths = [None] if attribute is None else str(attribute).split(",")
    # MicroPython's sort is not stable: the place decides between equals, whichever the direction.
    values = list(value)
    sign = -1 if reverse else 1
    keyed = [
        ([fold(_path(one, path)) for path in paths], sign * at) for at, one in enumerate(values)
    ]
    keyed.sort(reverse=reverse)
    return [values[sign * at] for _, at in keyed]


def do_string(s):
    return s if isinstance(s, Markup) else text(s)


def do_sum(iterable, attribute=None, start=0):
    return sum([_path(one, attribute) for one in iterable], start)


def do_title(s):
    content = text(s)
    out = []
    begins = True
    for c in content:
        out.append(c.upper() if begins else c.lower())
        begins = c.isspace() or c in "-({[<"
    return _like(s, "".join(out))


def do_tojson(value, indent=None):
    if indent is not None:
        raise ValueError("tojson: no indent on the device")
    import json

    result = json.dumps(_ordered(value))
    for c, code in (("<", "3c"), (">", "3e"), ("&", "26"), ("'", "27")):
        if c in result:
            result = result.replace(c, "\\u00" + code)
    return Markup(result)


def _ordered(value):
    """The same with every dict in the order of its keys."""
    if isinstance(value, Markup):
        return value.content
    if isinstance(value, dict):
        from collections import OrderedDict

        return OrderedDict([(key, _ordered(value[key])) for key in sorted(value)])
    if isinstance(value, (list, tuple)):
        return [_ordered(one) for one in value]
    return value


def do_trim(value, chars=None):
    content = text(value)
    return _like(value, content.strip() if chars is None else content.strip(chars))


def do_truncate(s, length=255, killwords=False, end="...", leeway=None):
    content = text(s)
    leeway = 5 if leeway is None else leeway
    if len(content) <= length + leeway:
        return s if isinstance(s, Markup) else content
    cut = content[: length - len(end)]
    if not killwords:
        cut = cut.rsplit(" ", 1)[0]
    return _like(s, cut + end)


def do_unique(value, case_sensitive=False, attribute=None):
    seen = set()
    for one in value:
        key = _path(one, attribute)
        key = key if case_sensitive else _folded(key)
        if key not in seen:
            seen.add(key)
            yield one


def _quoted(value, safe):
    out = []
    for byte in text(value).encode():
        c = chr(byte)
        is_plain = byte < 128 and (c.isalpha() or c.isdigit() or c in "_.-~" or c in safe)
        out.append(c if is_plain else "%%%02X" % byte)
    return "".join(out)


def do_urlencode(value):
    if not isinstance(value, (dict, list, tuple)):
        return _quoted(value, "/")
    pairs = value.items() if isinstance(value, dict) else value
    return "&".join(
        [
            _quoted(key, "").replace("%20", "+") + "=" + _quoted(one, "").replace("%20", "+")
            for key, one in pairs
        ]
    )


def do_wordcount(s):
    count = 0
    within = False
    for c in text(s):
        is_word = c.isalpha() or c.isdigit() or c == "_"
        count += is_word and not within
        within = is_word
    return count


def is_boolean(value):
    return value is True or value is False


def is_defined(value):
    return value is not UNDEFINED


def is_undefined(value):
    return value is UNDEFINED


def is_divisibleby(value, num):
    return value % num == 0


def is_even(value):
    return value % 2 == 0


def is_odd(value):
    return value % 2 == 1


def is_false(value):
    return value is False


def is_true(value):
    return value is True


def is_float(value):
    return isinstance(value, float)


def is_integer(value):
    return isinstance(value, int) and not is_boolean(value)


def is_iterable(value):
    try:
        iter(value)
    except TypeError:
        return False
    return True


def is_lower(value):
    return text(value).islower()


def is_upper(value):
    return text(value).isupper()


def is_mapping(value):
    return isinstance(value, dict)


def is_none(value):
    return value is None


def is_number(value):
    return isinstance(value, (int, float))


def is_sameas(value, other):
    return value is other


def is_sequence(value):
    return value is UNDEFINED or isinstance(value, (str, Markup, list, tuple, dict, range))


def is_string(value):
    return isinstance(value, (str, Markup))
