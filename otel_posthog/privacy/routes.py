"""Paths of a route: where its template names a part, the key rules decide by that name whether the part may stay.

From the template `/user/<username>` follows what no detector could see in `/user/ada`: the second part is a user name.
It is replaced by the part of the template. Templates may be those of Flask and Werkzeug, Django (paths and
expressions), Starlette and FastAPI, Express and its like, and RFC 6570.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from otel_posthog.regex import regex

TEMPLATE_KEYS = ("http.route", "url.template")
PATH_KEYS = ("url.path", "http.target", "url.full", "http.url", "url.original")

# A program has few routes; one that makes ever new ones must not fill the memory.
_ROUTES_KEPT = 1024
_MAX_ROUTE_CHARS = 1024

# `<username>`, `<string(length=2):lang>`, `<str:username>`; `{username}`, `{rest:path}`, `{?q*}`; `:username`, `:id?`,
# `:id(\d+)`; `(?P<username>[^/]+)`; `*` and `*rest`.
_PARAMETER = regex(
    r"\(\?P<(?P<expression>\w+)>(?:[^()\\]|\\.|\[[^\]]*\])*\)[?*+]?"
    r"|<(?:[^<>/:]{1,64}:)?(?P<angle>[\w-]+)>"
    r"|\{[+#./;?&*]{0,2}(?P<brace>[\w-]+)(?::[^{}/]{1,64})?[?*]?\}"
    r"|(?<=/):(?P<colon>\w+)(?:\([^()/]{0,64}\))?[?*+]?"
    r"|(?<=/)\*+(?P<star>\w*)"
)
_PATHS = regex(r"<path:|:path\}|^\*|\(\?P<\w+>(?:\.\*|\.\+)")
# `/users/{id}`: the part before says whose id it is.
_BARE = frozenset(("id", "ids", "pk", "uuid", "guid", "key", "uid"))
_NONE: Mapping[str, str] = {}
_BEHIND_HOST = regex(r"[a-z][a-z0-9+.-]{0,32}://[^/?#]{0,512}", re.IGNORECASE)


class _Route(NamedTuple):
    """A route that names a part that may not stay.

    Attributes:
        template: As it is written.
        pattern: Matches its paths, with a group for each part that may not stay; None where that is not possible.
        parts: The replacement of each group.
    """

    template: str
    pattern: re.Pattern[str] | None
    parts: tuple[str, ...]

    def clean(self, path: str) -> str:
        """Return `path` with parts of the template in place of those that may not stay."""
        host = _BEHIND_HOST.match(path)
        found = self.pattern.search(path, host.end() if host else 0) if self.pattern else None
        if found is None:
            # Mounted or rewritten: nothing says which part is which, so that none may stay.
            return f"{host.group() if host else ''}{self.template}"
        kept, end = list[str](), 0
        for number, part in enumerate(self.parts, start=1):
            kept += [path[end : found.start(number)], part]
            end = found.end(number)
        return "".join([*kept, path[end:]])


class Routes:
    """Cleans paths by their route and the key rules of a policy.

    Args:
        names_secret: Returns whether a value under a key of that name may not stay.
    """

    def __init__(self, names_secret: Callable[[str], bool]) -> None:
        self._names_secret = names_secret
        self._read = lru_cache(_ROUTES_KEPT)(self._route)

    def paths(self, attributes: Mapping[str, object]) -> Mapping[str, str]:
        """Return those paths of `attributes` that have to change, as they may stay; almost always none."""
        for key in TEMPLATE_KEYS:
            template = attributes.get(key)
            route = self._read(template) if isinstance(template, str) else None
            if route is not None:
                given = ((each, attributes.get(each)) for each in PATH_KEYS)
                return {each: route.clean(path) for each, path in given if isinstance(path, str)}
        return _NONE

    def marks(self, template: object) -> bool:
        """Return whether `template` names a part that may not stay."""
        return isinstance(template, str) and self._read(template) is not None

    def _route(self, template: str) -> _Route | None:
        """Return `template` compiled; None where it names no part that may not stay."""
        if len(template) > _MAX_ROUTE_CHARS:
            return _Route(template, None, ())
        patterns, parts, end, whole = list[str](), list[str](), 0, 0
        for parameter in _PARAMETER.finditer(template):
            is_whole = _PATHS.search(parameter.group()) is not None
            whole += is_whole
            patterns.append(_literal(template[end : parameter.start()]))
            pattern = ".+?" if is_whole else "[^/?#]+"
            if any(map(self._names_secret, _names(parameter, template))):
                parts.append(f"<{parameter['expression']}>" if parameter["expression"] else parameter.group())
                pattern = f"({pattern})"
            patterns.append(pattern)
            end = parameter.end()
        if not parts:
            return None
        # Two parameters that may contain slashes could match in many ways.
        if whole > 1:
            return _Route(template, None, ())
        patterns.append(_literal(template[end:]))
        return _Route(template, regex(f"{''.join(patterns)}/?(?=[?#]|\\Z)", re.IGNORECASE), tuple(parts))


def _names(parameter: re.Match[str], template: str) -> Iterator[str]:
    name = parameter[parameter.lastgroup or 0]
    yield name
    if name.lower() in _BARE:
        before = re.split(r"[^\w-]+", template[: parameter.start()].rstrip("/^"))[-1]
        yield f"{before} {name}"
        yield f"{before.removesuffix('s')} {name}"


def _literal(text: str) -> str:
    """Return the pattern of the text between two parameters; of a regular expression (Django) its plain letters."""
    return re.escape(re.sub(r"\\(.)", r"\1", text.strip("^$").replace("\\Z", "")))
