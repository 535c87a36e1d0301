# SPDX-License-Identifier: MIT
"""What compiled templates call: Jinja's filters and tests, and how values become text.

Arguments, results and names of arguments are those of Jinja2's filters and tests. A module of its
own, which stands on a few functions in C, so that the same file is tested on a computer; and one
module, long as it is, for a compiled template imports one name and finds Jinja's in it, and each
further module would cost a device memory and time at its start.
"""

from _viperhttp import escape_html, float_round, float_text, json_text


class Markup:
    """Text that is HTML already, and is not escaped again. What it is put together with is."""

    def __init__(self, content):
        self.content = content

    def __str__(self):
        return self.content

    def __repr__(self):
        return "Markup(%r)" % self.content

    def __len__(self):
        return len(self.content)

    def __bool__(self):
        return bool(self.content)

    def __iter__(self):
        return iter(self.content)

    def __getitem__(self, key):
        return Markup(self.content[key])

    def __contains__(self, part):
        return _plain(part) in self.content

    def __add__(self, other):
        return Markup(self.content + _escaped_text(other))

    def __radd__(self, other):
        return Markup(_escaped_text(other) + self.content)

    def __mul__(self, count):
        return Markup(self.content * count)

    __rmul__ = __mul__

    def __mod__(self, values):
        values = values if isinstance(values, tuple) else (values,)
        return Markup(self.content % tuple([_escaped_value(value) for value in values]))

    def __eq__(self, other):
        return self.content == _plain(other)

    def __ne__(self, other):
        return self.content != _plain(other)

    def __lt__(self, other):
        return self.content < _plain(other)

    def __le__(self, other):
        return self.content <= _plain(other)

    def __gt__(self, other):
        return self.content > _plain(other)

    def __ge__(self, other):
        return self.content >= _plain(other)

    def __hash__(self):
        return hash(self.content)

    def __getattr__(self, name):
        """A str's method, whose result is HTML too. What it puts in is escaped."""
        method = _method(self.content, name)
        if method is None:
            raise AttributeError(name)

        def call(*values, **named):
            if name == "join":
                values = ([_escaped_text(value) for value in values[0]],)
            elif name == "replace":
                values = values[:1] + tuple([_escaped_value(value) for value in values[1:]])
            elif name in _PUTS_IN:
                values = [_escaped_value(value) for value in values]
                named = {key: _escaped_value(value) for key, value in named.items()}
            return _marked(method(*values, **named))

        return call


_PUTS_IN = ("center", "format", "ljust", "rjust")  # their arguments into the text


def _plain(value):
    return value.content if isinstance(value, Markup) else value


def _escaped_value(value):
    return escape(value) if isinstance(value, (str, Markup)) else value


def _escaped_text(value):
    if not isinstance(value, (str, Markup)):
        raise TypeError("a text is needed, not %s" % type(value).__name__)
    return escape(value)


def _marked(result):
    if isinstance(result, str):
        return Markup(result)
    if isinstance(result, (list, tuple)):
        return type(result)([Markup(part) for part in result])
    return result


class UndefinedError(Exception):
    """A template goes into a value that there is not."""


class _Undefined:
    def __str__(self):
        return ""

    def __repr__(self):
        return "Undefined"

    def __bool__(self):
        return False

    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())


UNDEFINED = _Undefined()
_MISSING = object()


def text(value):
    """What `{{ }}` prints, as Python on a computer has it: floats as short as they can be."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, (list, tuple, dict, set)):
        return _repr(value)
    return str(value)


def _repr(value):
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, list):
        return "[" + ", ".join([_repr(one) for one in value]) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join([_repr(one) for one in value]) + (",)" if len(value) == 1 else ")")
    if isinstance(value, dict):
        pairs = [_repr(key) + ": " + _repr(one) for key, one in value.items()]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, str) and not _isascii(value):
        return _repr_beyond_ascii(value)
    return repr(value)


def _repr_beyond_ascii(s):
    quote = '"' if "'" in s and '"' not in s else "'"
    out = [quote]
    for c in s:
        if c in ("'", '"'):
            out.append("\\" + c if c == quote else c)
        elif c < "\xa1" or c == "\xad":
            out.append(repr(c)[1:-1])
        else:
            out.append(c)
    out.append(quote)
    return "".join(out)


def escape(value):
    """The text of a value for HTML."""
    if isinstance(value, Markup):
        return value.content
    return escape_html(value if isinstance(value, str) else text(value))


def attribute(of, name):
    """of.name, or else of["name"]; going into what is undefined raises UndefinedError."""
    if isinstance(of, str):
        method = _method(of, name)
        return UNDEFINED if method is None else method
    value = getattr(of, name, _MISSING)
    return _found(of, name) if value is _MISSING else value


def item(of, key):
    """of[key], or else the attribute of that name."""
    value = _found(of, key)
    if value is UNDEFINED and isinstance(key, str):
        return attribute(of, key) if isinstance(of, str) else getattr(of, key, UNDEFINED)
    return value


def _found(of, key):
    if of is UNDEFINED:
        raise UndefinedError("%r of an undefined value" % (key,))
    try:
        return of[key]
    except (IndexError, KeyError, TypeError, AttributeError):
        return UNDEFINED


def part(of, start, stop, step):
    """of[start:stop:step]; MicroPython's str and tuple have no steps."""
    if isinstance(of, Markup):
        return Markup(part(of.content, start, stop, step))
    if step is None or step == 1 or not isinstance(of, (str, tuple)):
        return of[start:stop:step]
    parts = list(of)[start:stop:step]
    return "".join(parts) if isinstance(of, str) else tuple(parts)


def within(one, of):
    """one in of"""
    return (_plain(one) if isinstance(of, str) else one) in of


# ---- Methods of str that MicroPython lacks, or has otherwise


def _method(of, name):
    own = _METHODS.get(name)
    method = getattr(of, name, None)
    if own is None and method is None:
        return None

    def call(*values, **named):
        if name == "join":
            values = ([_plain(value) for value in values[0]],)
        else:
            values = [_plain(value) for value in values]
        return method(*values, **named) if own is None else own(of, *values)

    return call


def _capitalize(s):
    return s[:1].upper() + s[1:].lower()


def _center(s, width, fill=" "):
    room = max(0, width - len(s))
    left = room // 2 + (room & width & 1)
    return fill * left + s + fill * (room - left)


def _ljust(s, width, fill=" "):
    return s + fill * (width - len(s))


def _rjust(s, width, fill=" "):
    return fill * (width - len(s)) + s


def _zfill(s, width):
    sign = s[:1] if s[:1] in ("+", "-") else ""
    return sign + "0" * (width - len(s)) + s[len(sign) :]


def _swapcase(s):
    return "".join([c.lower() if c.isupper() else c.upper() for c in s])


def _title(s):
    out = []
    within = False
    for c in s:
        out.append(c.lower() if within else c.upper())
        within = c.isalpha()
    return "".join(out)


def _removeprefix(s, prefix):
    return s[len(prefix) :] if s.startswith(prefix) else s


def _removesuffix(s, suffix):
    return s[: len(s) - len(suffix)] if s.endswith(suffix) else s


def _replace(s, old, new, count=-1):
    if old:
        return s.replace(old, new, count)
    places = len(s) + 1 if count < 0 else min(count, len(s) + 1)
    end = new if places > len(s) else ""
    return "".join([new + c for c in s[:places]]) + s[places:] + end


def _isalnum(s):
    return bool(s) and all([c.isalpha() or c.isdigit() for c in s])


def _isascii(s):
    return all([c < "\x80" for c in s])


_METHODS = {
    "capitalize": _capitalize,
    "center": _center,
    "isalnum": _isalnum,
    "isascii": _isascii,
    "ljust": _ljust,
    "removeprefix": _removeprefix,
    "removesuffix": _removesuffix,
    "replace": _replace,
    "rjust": _rjust,
    "swapcase": _swapcase,
    "title": _title,
    "zfill": _zfill,
}


# ---- Filters and tests


def concat(*parts):
    """Parts as one text, which is HTML if one of them is."""
    if any(isinstance(part, Markup) for part in parts):
        return Markup("".join([escape(part) for part in parts]))
    return concat_text(*parts)


def concat_text(*parts):
    """Texts of values, one behind the other: Jinja's `~` where nothing is escaped."""
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
    return value.lower() if isinstance(value, (str, Markup)) else value


def _is_number(value):
    return isinstance(value, (int, float, bool))


def _content(value):
    """What a filter takes that wants a text."""
    if not isinstance(value, (str, Markup)):
        raise TypeError("a text is needed, not %s" % type(value).__name__)
    return _plain(value)


def _defined(value):
    """A value for what Jinja does not do with one that there is not."""
    if value is UNDEFINED:
        raise UndefinedError("an undefined value")
    return value


def do_abs(x):
    """Jinja's filter `abs`."""
    return abs(_defined(x))


def do_capitalize(s):
    """Jinja's filter `capitalize`."""
    return _like(s, _capitalize(text(s)))


def do_center(value, width=80):
    """Jinja's filter `center`."""
    return _like(value, _center(text(value), width))


def do_default(value, default_value="", boolean=False):
    """Jinja's filter `default`."""
    return default_value if value is UNDEFINED or (boolean and not value) else value


def do_dictsort(value, case_sensitive=False, by="key", reverse=False):
    """Jinja's filter `dictsort`."""
    at = {"key": 0, "value": 1}[by]
    fold = (lambda v: v) if case_sensitive else _folded
    return _stable(list(value.items()), lambda pair: fold(pair[at]), reverse)


def do_escape(s):
    """Jinja's filter `escape`."""
    return s if isinstance(s, Markup) else Markup(escape(s))


def do_forceescape(value):
    """Jinja's filter `forceescape`."""
    return Markup(escape(text(value)))


def do_filesizeformat(value, binary=False):
    """Jinja's filter `filesizeformat`."""
    size = float(_plain(_defined(value)))
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
    return float_text(float_round(base * size / unit, 1)) + " " + name


def do_first(seq):
    """Jinja's filter `first`."""
    for value in seq:
        return value
    return UNDEFINED


def do_last(seq):
    """Jinja's filter `last`."""
    if isinstance(seq, Markup):
        return seq[-1] if seq else UNDEFINED
    for value in reversed(list(seq) if isinstance(seq, (dict, _Undefined)) else seq):
        return value
    return UNDEFINED


def do_float(value, default=0.0):
    """Jinja's filter `float`."""
    try:
        return float(_plain(_defined(value)))
    except (TypeError, ValueError):
        return default


def do_int(value, default=0, base=10):
    """Jinja's filter `int`."""
    value = _plain(_defined(value))
    try:
        return int(value, base) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def do_indent(s, width=4, first=False, blank=False):
    """Jinja's filter `indent`."""
    indention = " " * width if isinstance(width, int) else _plain(width)
    lines = (_content(s) + "\n").splitlines()
    rest = [indention + line if line or blank else line for line in lines[1:]]
    result = "\n".join(lines[:1] + rest)
    return _like(s, indention + result if first else result)


def do_items(value):
    """Jinja's filter `items`."""
    if not isinstance(value, (dict, _Undefined)):
        raise TypeError("items: only a dict has pairs")
    return () if value is UNDEFINED else value.items()


def do_join(value, d="", attribute=None):
    """Jinja's filter `join`."""
    values = [_path(one, attribute) for one in value]
    if isinstance(d, Markup) or any(isinstance(one, Markup) for one in values):
        return Markup(escape(d).join([escape(one) for one in values]))
    return text(d).join([text(one) for one in values])


def do_length(obj):
    """Jinja's filter `length`."""
    return len(obj)


def do_list(value):
    """Jinja's filter `list`."""
    return list(value)


def do_lower(s):
    """Jinja's filter `lower`."""
    return _like(s, text(s).lower())


def do_upper(s):
    """Jinja's filter `upper`."""
    return _like(s, text(s).upper())


def _extreme(choose, value, case_sensitive, attribute):
    values = list(value)
    if not values:
        return UNDEFINED
    fold = (lambda v: v) if case_sensitive else _folded
    return choose(values, key=lambda one: fold(_path(one, attribute)))


def do_max(value, case_sensitive=False, attribute=None):
    """Jinja's filter `max`."""
    return _extreme(max, value, case_sensitive, attribute)


def do_min(value, case_sensitive=False, attribute=None):
    """Jinja's filter `min`."""
    return _extreme(min, value, case_sensitive, attribute)


def do_replace(s, old, new, count=None):
    """Jinja's filter `replace`."""
    is_markup = isinstance(s, Markup) or isinstance(old, Markup) or isinstance(new, Markup)
    how = escape if is_markup else text
    old = _plain(old) if isinstance(s, Markup) else how(old)
    result = _replace(how(s), old, how(new), -1 if count is None else count)
    return Markup(result) if is_markup else result


def do_reverse(value):
    """Jinja's filter `reverse`."""
    if isinstance(value, (str, Markup)):
        return part(value, None, None, -1)
    return reversed(list(value))


def do_round(value, precision=0, method="common"):
    """Jinja's filter `round`."""
    if method == "common":
        if isinstance(value, float):
            return float_round(value, precision)
        return _rounded(value + 0, precision)  # a bool, too
    import math

    scale = 10**precision
    return {"ceil": math.ceil, "floor": math.floor}[method](value * scale) / scale


def _rounded(whole, precision):
    if precision >= 0:
        return whole
    unit = 10**-precision
    count, rest = divmod(whole, unit)
    if rest * 2 > unit or (rest * 2 == unit and count % 2):
        count += 1
    return count * unit


def do_safe(value):
    """Jinja's filter `safe`."""
    return value if isinstance(value, Markup) else Markup(text(value))


def do_sort(value, reverse=False, case_sensitive=False, attribute=None):
    """Jinja's filter `sort`."""
    fold = (lambda v: v) if case_sensitive else _folded
    paths = [None] if attribute is None else str(attribute).split(",")
    return _stable(list(value), lambda one: [fold(_path(one, path)) for path in paths], reverse)


def _stable(values, key, reverse):
    # MicroPython's sort is not stable: the place decides between equals, whichever the direction.
    sign = -1 if reverse else 1
    keyed = [(key(one), sign * at) for at, one in enumerate(values)]
    keyed.sort(reverse=reverse)
    return [values[sign * at] for _, at in keyed]


def do_string(s):
    """Jinja's filter `string`."""
    return s if isinstance(s, Markup) else text(s)


def do_sum(iterable, attribute=None, start=0):
    """Jinja's filter `sum`."""
    if isinstance(start, str):
        raise TypeError("sum adds no texts")
    return sum([_path(one, attribute) for one in iterable], start)


def do_title(s):
    """Jinja's filter `title`."""
    content = text(s)
    out = []
    begins = True
    for c in content:
        out.append(c.upper() if begins else c.lower())
        begins = c.isspace() or c in "-({[<"
    return "".join(out)


def do_tojson(value, indent=None):
    """Jinja's filter `tojson`."""
    if indent is not None:
        raise ValueError("tojson: no indent on the device")
    return Markup(_json(value))


def _json(value):
    if isinstance(value, (str, Markup)):
        return json_text(_plain(value))
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        result = float_text(value)
        return words.get(result, result)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([_json(one) for one in value]) + "]"
    if isinstance(value, dict):
        pairs = [_json_key(key) + ": " + _json(value[key]) for key in sorted(value)]
        return "{" + ", ".join(pairs) + "}"
    raise TypeError("tojson: JSON has no %s" % type(value).__name__)


def _json_key(key):
    if not isinstance(key, (str, Markup, int, float, bool)) and key is not None:
        raise TypeError("tojson: no key of JSON is a %s" % type(key).__name__)
    result = _json(key)
    return result if isinstance(key, (str, Markup)) else '"' + result + '"'


def do_trim(value, chars=None):
    """Jinja's filter `trim`."""
    content = text(value)
    return _like(value, content.strip() if chars is None else content.strip(_plain(chars)))


def do_truncate(s, length=255, killwords=False, end="...", leeway=None):
    """Jinja's filter `truncate`."""
    leeway = 5 if leeway is None else leeway
    if length < len(end) or leeway < 0:
        raise ValueError("truncate: no room for the end")
    if len(s) <= length + leeway:
        return s
    content = _content(s)
    cut = content[: length - len(end)]
    if not killwords:
        cut = cut.rsplit(" ", 1)[0]
    return _like(s, cut + (escape(end) if isinstance(s, Markup) else text(end)))


def do_unique(value, case_sensitive=False, attribute=None):
    """Jinja's filter `unique`."""
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
    """Jinja's filter `urlencode`."""
    if isinstance(value, (str, Markup)) or not is_iterable(value):
        return _quoted(value, "/")
    pairs = value.items() if isinstance(value, dict) else value
    return "&".join(
        [
            _quoted(key, "").replace("%20", "+") + "=" + _quoted(one, "").replace("%20", "+")
            for key, one in pairs
        ]
    )


def _is_letter_beyond_ascii(c):
    """As far as it goes without Unicode's tables: not the blocks of signs."""
    return c >= "\xc0" and c not in "\xd7\xf7" and not any([a <= c <= b for a, b in _SIGNS])


_SIGNS = (
    ("\u2000", "\u206f"),
    ("\u20a0", "\u2bff"),
    ("\u3000", "\u3020"),
    ("\ue000", "\uf8ff"),
    ("\U0001f000", "\U0001ffff"),
)


def do_wordcount(s):
    """Jinja's filter `wordcount`."""
    count = 0
    within = False
    for c in text(s):
        is_word = c.isalpha() or c.isdigit() or c == "_" or _is_letter_beyond_ascii(c)
        count += is_word and not within
        within = is_word
    return count


def is_boolean(value):
    """Jinja's test `boolean`."""
    return value is True or value is False


def is_defined(value):
    """Jinja's test `defined`."""
    return value is not UNDEFINED


def is_undefined(value):
    """Jinja's test `undefined`."""
    return value is UNDEFINED


def is_divisibleby(value, num):
    """Jinja's test `divisibleby`."""
    return value % num == 0


def is_even(value):
    """Jinja's test `even`."""
    return value % 2 == 0


def is_odd(value):
    """Jinja's test `odd`."""
    return value % 2 == 1


def is_false(value):
    """Jinja's test `false`."""
    return value is False


def is_true(value):
    """Jinja's test `true`."""
    return value is True


def is_float(value):
    """Jinja's test `float`."""
    return isinstance(value, float)


def is_integer(value):
    """Jinja's test `integer`."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_iterable(value):
    """Jinja's test `iterable`."""
    try:
        iter(value)
    except TypeError:
        return False
    return True


def is_lower(value):
    """Jinja's test `lower`."""
    return text(value).islower()


def is_upper(value):
    """Jinja's test `upper`."""
    return text(value).isupper()


def is_mapping(value):
    """Jinja's test `mapping`."""
    return isinstance(value, dict)


def is_none(value):
    """Jinja's test `none`."""
    return value is None


def is_number(value):
    """Jinja's test `number`."""
    return _is_number(value)


def is_sameas(value, other):
    """Jinja's test `sameas`."""
    return value is other


def is_sequence(value):
    """Jinja's test `sequence`."""
    return value is UNDEFINED or isinstance(value, (str, Markup, list, tuple, dict, range))


def is_string(value):
    """Jinja's test `string`."""
    return isinstance(value, (str, Markup))
