"""What a browser says of tracking: the headers `Sec-GPC` and `DNT`, as an instrumentation captures them.

Sources: https://w3c.github.io/gpc/#the-sec-gpc-header-field-for-http-requests, https://www.w3.org/TR/tracking-dnt/,
https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/ (`http.request.header.<key>`, a list of strings).
A proxy may repeat a header or join two of them, and a wrong value is no consent: only the absence of the header and an
explicit `0` are none.
"""

from __future__ import annotations

from otel_posthog.model import Attributes

# With a hyphen as the semantic conventions have it, with an underscore as instrumentations of Python write it.
GPC_KEYS = ("http.request.header.sec-gpc", "http.request.header.sec_gpc")
DNT_KEY = "http.request.header.dnt"


def is_objection(attributes: Attributes) -> bool:
    """Return whether `attributes` say by `Sec-GPC` that the user objects."""
    return any(key in attributes and objects(attributes[key]) for key in GPC_KEYS)


def is_do_not_track(attributes: Attributes) -> bool:
    """Return whether `attributes` say by `DNT` that the user does not want to be tracked."""
    return DNT_KEY in attributes and objects(attributes[DNT_KEY])


def objects(value: object) -> bool:
    """Return whether a captured header's `value` says anything but an explicit `0`; a list of nothing says nothing."""
    if value is None or value is False:
        return False
    values = value if isinstance(value, (tuple, list)) else (value,)
    return any(part.strip() != "0" for each in values for part in str(each).split(","))
