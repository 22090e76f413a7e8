"""What is well-formed in a link of a policy and cannot be meant; a part of `checks`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from string import Formatter
from urllib.parse import urlsplit

from otel_posthog.policy.fields import KeyPath
from otel_posthog.policy.sections.events_url import PLACEHOLDERS as EVENTS_PLACEHOLDERS
from otel_posthog.policy.sections.events_url import EventsUrl
from otel_posthog.policy.sections.trace_url import PLACEHOLDERS, TraceSource, TraceUrl
from otel_posthog.regex import regex

Found = tuple[KeyPath, str, str]
"""Where, what is wrong, what to write instead; nothing of what stands there."""

_UNSEEN = regex(r"[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_UID = regex(r"[A-Za-z0-9_-]{1,40}")
_EXAMPLE = "write e.g. `https://jaeger.example/trace/{trace_id}`"


def is_url(host: str) -> bool:
    """Return whether requests can be made to `host`."""
    try:
        parts = urlsplit(host)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


def trace_url_problems(given: TraceUrl | str | None) -> Iterator[Found]:
    """Yield what cannot be meant in `trace_url`."""
    path: KeyPath = ("trace_url",)
    if given is None:
        return
    if isinstance(given, str):
        yield from template_problems(given, path, PLACEHOLDERS)
        return
    if (given.grafana is None) == (given.jaeger is None):
        yield path, "trace_url names one place", "write `grafana:` with its `datasource:`, or `jaeger:`"
        return
    name = "grafana" if given.jaeger is None else "jaeger"
    yield from address_problems(getattr(given, name), (*path, name))
    if name == "grafana" and not _UID.fullmatch(given.datasource or ""):
        fix = "write the `uid` of the data source, as its address in Grafana ends: letters, digits, `-` and `_`"
        yield (*path, "datasource"), "Grafana needs the data source that has the traces", fix
    if name == "jaeger":
        unused = {"datasource": None, "datasource_type": TraceSource.TEMPO, "org_id": None}
        for each, default in unused.items():
            if getattr(given, each) != default:
                yield (*path, each), f"{each} is Grafana's", f"leave `{each}` out, or write `grafana:`"


def events_url_problems(given: EventsUrl | str | None, destinations: Collection[str]) -> Iterator[Found]:
    """Yield what cannot be meant in `operational.events_url`."""
    path: KeyPath = ("operational", "events_url")
    if isinstance(given, str):
        yield from template_problems(given, path, EVENTS_PLACEHOLDERS)
    elif given is not None:
        yield from address_problems(given.posthog, (*path, "posthog"))
        if not given.project:
            fix = "write the number behind `/project/` in PostHog's addresses"
            yield (*path, "project"), "PostHog's addresses name a project", fix
        if given.destination is not None and given.destination not in destinations:
            yield (*path, "destination"), "there is no destination of this name", "name one of `destinations`"


def template_problems(template: str, path: KeyPath, placeholders: Collection[str]) -> Iterator[Found]:
    """Yield what cannot be meant in an address with placeholders."""
    named = " and ".join(f"{{{each}}}" for each in placeholders)
    try:
        fields = [field[1:] for field in Formatter().parse(template) if field[1] is not None]
    except ValueError:
        fields = [("", "", None)]
    # A width would be as much memory with every event, an attribute something of Python's.
    if not all(name in placeholders and not spec and not way for name, spec, way in fields):
        yield path, f"{path[-1]} has an unknown placeholder", f"use {named} only; other braces are %7B and %7D"
    elif not is_url(template.replace("{", "").replace("}", "")) or _UNSEEN.search(template):
        yield path, f"{path[-1]} is no address that a browser opens", _EXAMPLE
    elif "trace_id" not in {name for name, _, _ in fields}:
        yield path, f"{path[-1]} is the same for all traces: it has no {{trace_id}}", _EXAMPLE


def address_problems(address: str, path: KeyPath) -> Iterator[Found]:
    """Yield what cannot be meant in the address of a place, to which a path is added."""
    if not is_url(address) or _UNSEEN.search(address) or any(each in address for each in "{}?#"):
        yield path, f"{path[-1]} is no address", f"write e.g. `{path[-1]}: https://{path[-1]}.example`"
