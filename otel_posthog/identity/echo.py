"""Takes a user's id out of properties where the identity mode does not send it.

Comes in: filtered properties, and the id that the telemetry gave. Goes out: the properties without it: apps like to
repeat an id under a key of their own (`form.number`, `url`), which would undo the mode. Runs on the worker.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import Receipt

MARKER = "[user]"

# Shorter ids are ordinary numbers and words as well; as a part of a text only one that is long is surely meant.
MIN_CHARS, MIN_CHARS_WITHIN_TEXT = 4, 8


def without_user_id(properties: Mapping[str, object], user_id: str | None, receipt: Receipt) -> dict[str, object]:
    """Return `properties` with every repetition of `user_id` replaced, in nested values too.

    Args:
        properties: JSON-safe, of bounded depth.
        user_id: The id; None replaces nothing.
        receipt: Told where it was replaced, by the rule `user_id`.
    """
    if user_id is None or len(user_id) < MIN_CHARS:
        return dict(properties)
    return {key: _replaced(value, user_id, key, receipt) for key, value in properties.items()}


def _replaced(value: object, user_id: str, path: str, receipt: Receipt) -> object:
    if isinstance(value, str):
        text = _without(value, user_id)
        if text != value:
            receipt.add(path, "user_id", "replaced")
        return text
    if isinstance(value, dict):
        return {key: _replaced(each, user_id, f"{path}.{key}", receipt) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, user_id, path, receipt) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and str(value) == user_id:
        receipt.add(path, "user_id", "replaced")
        return MARKER
    return value


def _without(text: str, user_id: str) -> str:
    if text == user_id:
        return MARKER
    return text.replace(user_id, MARKER) if len(user_id) >= MIN_CHARS_WITHIN_TEXT else text
