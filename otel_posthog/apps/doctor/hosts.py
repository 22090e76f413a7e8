"""What is wrong with a PostHog host, by how it is written alone.

Of `POSTHOG_HOST` as it is written, also where set-up refuses it, and of the hosts of destinations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "host"
REGIONS = {"us.i.posthog.com": "US", "eu.i.posthog.com": "EU"}

_APP_LIKE = frozenset({"posthog.com", "www.posthog.com", "i.posthog.com"})
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_HALF_A_SCHEME = re.compile(r"https?[:/]", re.IGNORECASE)
_NAME = re.compile(r"(?!-)[\w-]+(\.(?!-)[\w-]+)*\.?")
QUOTES = "\"'`\u2018\u2019\u201c\u201d"
"""What people put around a value, and env files of containers keep."""

_WRONG, _NOTE = Level.WRONG, Level.NOTE
NO_SCHEME = Kind(
    "host_no_scheme", Group.CONFIGURATION, _WRONG, "{name} has no scheme, so it is no URL",
    "write {name}=https://{host}", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
NO_URL = Kind(
    "host_no_url", Group.CONFIGURATION, _WRONG, "{name} is no URL",
    "write {name}=https://eu.i.posthog.com, https://us.i.posthog.com or your own server's address",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
NO_NAME = Kind(
    "host_no_name", Group.POSTHOG, _WRONG, "{host} leads nowhere: no server can have that name",
    "write https://eu.i.posthog.com, https://us.i.posthog.com or your own server's address",
    Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
QUOTED = Kind(
    "host_quoted", Group.CONFIGURATION, _WRONG, "{name} has quotes around it, which are taken for a part of it",
    "write {name}=https://eu.i.posthog.com without quotes; env files of containers keep them",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
APP = Kind(
    "host_app", Group.POSTHOG, _NOTE, "{remark}", "write that host", Gravity.TO_KNOW, Symptom.NOTHING,
    "destination default: PostHog's app does not take events; they go to https://eu.i.posthog.com",
)  # fmt: skip
SITE = Kind(
    "host_site", Group.POSTHOG, _WRONG, "{host} is PostHog's web site, which takes no events",
    "set POSTHOG_HOST to https://us.i.posthog.com or https://eu.i.posthog.com, whichever region the project is in",
    Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
PATH = Kind(
    "host_path", Group.POSTHOG, _WRONG, "{host} has a path behind it: events go to another address than PostHog's",
    "write the host alone: https://{netloc}", Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
QUERY = Kind(
    "host_query", Group.POSTHOG, _WRONG, "{host} has a query or a fragment: the path of requests ends up in it",
    "write it without what is behind ? or #", Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
PLAIN = Kind(
    "host_not_encrypted", Group.POSTHOG, _WRONG, "{host} is http: key and events cross the network unencrypted",
    "write https://{netloc}", Gravity.LEAKS, Symptom.PRIVACY,
)  # fmt: skip
PLAIN_INSIDE = Kind(
    "host_not_encrypted_inside", Group.POSTHOG, _NOTE,
    "{host} is http: key and events are not encrypted on their way there",
    "write https:// if the server has it; nothing, if no other network lies between", Gravity.TO_KNOW,
    Symptom.PRIVACY,
)  # fmt: skip

KINDS = (NO_SCHEME, NO_URL, NO_NAME, QUOTED, APP, SITE, PATH, QUERY, PLAIN, PLAIN_INSIDE)


def of_variable(given: str, name: str) -> Finding:
    """Return why set-up refuses a host.

    Args:
        given: As it is written.
        name: Of the variable that it is in.
    """
    host = given.strip()
    if host.strip(QUOTES) != host:
        return QUOTED.found(ABOUT, name=name)
    if not _SCHEME.match(host) and not _HALF_A_SCHEME.match(host) and re.fullmatch(r"[\w.-]+(:\d+)?(/\S*)?", host):
        return NO_SCHEME.found(ABOUT, name=name, host=host)
    return NO_URL.found(ABOUT, name=name)


def of_host(host: str) -> Iterator[Finding]:
    """Yield what is wrong with a host that set-up takes; nothing of a good one.

    Args:
        host: Of a destination.
    """
    parts = urlsplit(host)
    name = (parts.hostname or "").lower()
    netloc = parts.netloc.rpartition("@")[2]
    if not is_name(name):
        yield NO_NAME.found(ABOUT, host=host)
        return
    if name in _APP_LIKE:
        yield SITE.found(ABOUT, host=host)
    elif parts.query or parts.fragment:
        yield QUERY.found(ABOUT, host=host)
    elif parts.path.strip("/") and (name in REGIONS or _is_endpoint(parts.path)):
        # A relay may well have PostHog below a path of its own.
        yield PATH.found(ABOUT, host=host, netloc=netloc)
    if parts.scheme.lower() == "http" and not _is_here(name):
        is_inside = "." not in name or _is_private(name) or name.endswith((".local", ".internal", ".svc", ".lan"))
        yield (PLAIN_INSIDE if is_inside else PLAIN).found(ABOUT, host=host, netloc=netloc)


def is_name(name: str) -> bool:
    """Return whether a server can be called so: an address or a name, and not what is left of a scheme."""
    if name in {"http", "https"}:
        return False
    return _NAME.fullmatch(name) is not None or _is(name, "version")


def other_region(host: str) -> str:
    """Return the host of PostHog's other region; empty where `host` is none of its regions."""
    name = urlsplit(host).hostname or ""
    return next((each for each in REGIONS if each != name), "") if name in REGIONS else ""


def _is_endpoint(path: str) -> bool:
    """Return whether a path is one that requests get anyway, or of PostHog's app."""
    first = path.strip("/").partition("/")[0]
    return first in {"batch", "capture", "e", "i", "project", "decide", "flags", "insights"}


def _is_here(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost") or _is(name, "is_loopback")


def _is_private(name: str) -> bool:
    return _is(name, "is_private")


def _is(name: str, what: str) -> bool:
    try:
        return bool(getattr(ip_address(name), what))
    except ValueError:
        return False
