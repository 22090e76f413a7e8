"""Paths beside the route that they belong to: where the route names what a part is, the part is judged by that name.

`/user/<username>` says of `/user/ada` what no detector could: its second part is the name of a user. The path gets the
template's part instead. The templates are those of Flask and Werkzeug, Django (paths and expressions), Starlette and
FastAPI, Express and its like, and RFC 6570.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

TEMPLATE_KEYS = ("http.route", "url.template")
PATH_KEYS = ("url.path", "http.target", "url.full", "http.url", "url.original")

# Routes are few and come again; a program that makes ever new ones must not fill the memory.
_ROUTES_KEPT = 1024
_MAX_ROUTE_CHARS = 1024

# `<username>`, `<string(length=2):lang>`, `<str:username>`; `{username}`, `{rest:path}`, `{?q*}`; `:username`, `:id?`,
# `:id(\d+)`; `(?P<username>[^/]+)`; `*` and `*rest`.
_PARAMETER = re.compile(
    r"\(\?P<(?P<expression>\w+)>(?:[^()\\]|\\.|\[[^\]]*\])*\)[?*+]?"
    r"|<(?:[^<>/:]{1,64}:)?(?P<angle>[\w-]+)>"
    r"|\{[+#./;?&*]{0,2}(?P<brace>[\w-]+)(?::[^{}/]{1,64})?[?*]?\}"
    r"|(?<=/):(?P<colon>\w+)(?:\([^()/]{0,64}\))?[?*+]?"
    r"|(?<=/)\*+(?P<star>\w*)"
)
_PATHS = re.compile(r"<path:|:path\}|^\*|\(\?P<\w+>(?:\.\*|\.\+)")
# `/users/{id}`: which id it is stands in the part before.
_BARE = frozenset(("id", "ids", "pk", "uuid", "guid", "key", "uid"))
_NONE: Mapping[str, str] = {}
_BEHIND_HOST = re.compile(r"[a-z][a-z0-9+.-]{0,32}://[^/?#]{0,512}", re.IGNORECASE)


class _Route(NamedTuple):
    """A route that names something that is to go.

    Attributes:
        template: As it is written.
        pattern: Finds its path; a group is a part that goes. None where no path can be matched with it.
        parts: What stands for each group.
    """

    template: str
    pattern: re.Pattern[str] | None
    parts: tuple[str, ...]

    def clean(self, path: str) -> str:
        """Return `path` with the template's parts where it says what goes."""
        host = _BEHIND_HOST.match(path)
        found = self.pattern.search(path, host.end() if host else 0) if self.pattern else None
        if found is None:
            # Mounted or rewritten: which part is which cannot be told, so that none may stay.
            return f"{host.group() if host else ''}{self.template}"
        kept, end = list[str](), 0
        for number, part in enumerate(self.parts, start=1):
            kept += [path[end : found.start(number)], part]
            end = found.end(number)
        return "".join([*kept, path[end:]])


class Routes:
    """Reads routes by the key rules of a policy.

    Args:
        names_secret: Whether a value under a key of that name is to go.
    """

    def __init__(self, names_secret: Callable[[str], bool]) -> None:
        self._names_secret = names_secret
        self._read = lru_cache(_ROUTES_KEPT)(self._route)

    def paths(self, attributes: Mapping[str, object]) -> Mapping[str, str]:
        """Return those paths among `attributes` that are to be others, as they may stay; almost always none."""
        for key in TEMPLATE_KEYS:
            template = attributes.get(key)
            route = self._read(template) if isinstance(template, str) else None
            if route is not None:
                given = ((each, attributes.get(each)) for each in PATH_KEYS)
                return {each: route.clean(path) for each, path in given if isinstance(path, str)}
        return _NONE

    def _route(self, template: str) -> _Route | None:
        """Return what is done with paths of `template`; None where it names nothing that is to go."""
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
        # Two parameters that go over slashes could be matched in many ways.
        if whole > 1:
            return _Route(template, None, ())
        patterns.append(_literal(template[end:]))
        return _Route(template, re.compile(f"{''.join(patterns)}/?(?=[?#]|\\Z)", re.IGNORECASE), tuple(parts))


def _names(parameter: re.Match[str], template: str) -> Iterator[str]:
    name = parameter[parameter.lastgroup or 0]
    yield name
    if name.lower() in _BARE:
        before = re.split(r"[^\w-]+", template[: parameter.start()].rstrip("/^"))[-1]
        yield f"{before} {name}"
        yield f"{before.removesuffix('s')} {name}"


def _literal(text: str) -> str:
    """Return the expression of what stands between two parameters; of an expression of Django's its plain letters."""
    return re.escape(re.sub(r"\\(.)", r"\1", text.strip("^$").replace("\\Z", "")))
