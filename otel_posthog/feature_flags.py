"""What the evaluation of a feature flag says, in PostHog's terms.

Comes in: the attributes of a span event or log record `feature_flag.evaluation`, as OpenFeature's hooks write it. Goes
out: the properties of `$feature_flag_called`, and what `$feature/<key>` is on later events.

Sources: https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/; posthog-python,
`posthog/client.py`, `_capture_feature_flag_called`.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from otel_posthog.conventions import read_by_either_name
from otel_posthog.model import Attributes

FLAG_CALLED = "$feature_flag_called"
"""PostHog's name of the event; its experiments count it as who saw which variant."""

KEY, RESPONSE = "$feature_flag", "$feature_flag_response"
FEATURE = "$feature/"
"""Begins the names of the properties by which later events tell what their user saw."""

_KEY, _REASON, _VERSION = "feature_flag.key", "feature_flag.result.reason", "feature_flag.version"
_VALUE, _VARIANT, _ERROR_TYPE = "feature_flag.result.value", "feature_flag.result.variant", "error.type"
READ = (_KEY, _VALUE, _VARIANT, _REASON, _VERSION, _ERROR_TYPE)
"""All that is read of an evaluation, by the names of now: what hands one on has to leave these on it."""

_ERROR = "error"
_MAX_CHARS = 200


class Evaluation(NamedTuple):
    """One evaluation of a flag.

    Attributes:
        key: The flag's.
        response: What PostHog compares: the value of a flag that is on or off, the variant of any other, else its text;
            None where the evaluation failed, or there is neither.
        reason: Why, as the provider says.
        version: Of the flag's definition.
        error: The kind of error, where it failed.
    """

    key: str
    response: bool | str | None
    reason: str | None = None
    version: object = None
    error: str | None = None

    def properties(self) -> dict[str, object]:
        """Return what PostHog's libraries send."""
        answer = {} if self.response is None else {RESPONSE: self.response, FEATURE + self.key: self.response}
        others = {
            "$feature_flag_reason": self.reason,
            "$feature_flag_version": self.version,
            "$feature_flag_error": self.error,
        }
        return {KEY: self.key, **answer, **{name: value for name, value in others.items() if value is not None}}


def evaluation_in(attributes: Attributes) -> Evaluation | None:
    """Return the evaluation that `attributes` tell of, by the names of now or before; None where they name no flag."""
    key = _text(read_by_either_name(attributes, _KEY))
    if key is None:
        return None
    reason = _text(read_by_either_name(attributes, _REASON))
    error = _text(attributes.get(_ERROR_TYPE))
    reason = None if reason is None else reason.lower()
    if reason == _ERROR or error is not None:
        return Evaluation(key, None, reason, error=error or _ERROR)
    version = attributes.get(_VERSION)
    return Evaluation(key, _response(attributes), reason, version if isinstance(version, (str, int)) else None)


def _response(attributes: Attributes) -> bool | str | None:
    value = _decoded(read_by_either_name(attributes, _VALUE))
    if isinstance(value, bool):
        return value
    variant = _text(read_by_either_name(attributes, _VARIANT))
    if variant is not None:
        return variant
    return _text(value) if isinstance(value, str) else _number(value)


def _decoded(value: object) -> object:
    """Return the value of a flag, which OpenFeature's hook writes as JSON; a text that is none is the value."""
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _number(value: object) -> str | None:
    return json.dumps(value) if isinstance(value, (int, float)) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 1 <= len(value) <= _MAX_CHARS else None
