"""Global Privacy Control: whether a request came with `Sec-GPC: 1`, as an instrumentation that captures headers says.

Sources: https://w3c.github.io/gpc/#the-sec-gpc-header-field-for-http-requests ("1" and nothing else),
https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/ (`http.request.header.<key>`, a list of strings).
"""

from __future__ import annotations

from otel_posthog.model import Attributes

# With a hyphen as the semantic conventions have it, with an underscore as instrumentations of Python write it.
_KEYS = ("http.request.header.sec-gpc", "http.request.header.sec_gpc")


def is_objection(attributes: Attributes) -> bool:
    """Return whether `attributes`, of a request's span, say that the user objects."""
    for key in _KEYS:
        value = attributes.get(key)
        if value is None:
            continue
        values = (value,) if isinstance(value, str) else value
        if isinstance(values, (tuple, list)) and any(isinstance(each, str) and each.strip() == "1" for each in values):
            return True
    return False
