"""The gate behind translation: what any event may tell of an exception, wherever that came from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.errors import DropEvent
from otel_posthog.model import Receipt
from otel_posthog.policy import ExceptionMode, PrivacyPolicy
from otel_posthog.privacy import Filter, limit_exceptions

FILTER = Filter(PrivacyPolicy())
TYPE, FRAMES, OFF = ExceptionMode.TYPE, ExceptionMode.FRAMES, ExceptionMode.OFF
# As posthog-python sends it, shortened.
FRAME = {
    "platform": "python",
    "filename": "shop/cart.py",
    "abs_path": "/home/jane/shop/cart.py",
    "function": "pay",
    "module": "shop.cart",
    "lineno": 7,
    "pre_context": ["planted"],
    "context_line": "planted",
    "post_context": ["planted"],
    "code_variables": {"mail": "planted"},
    "in_app": True,
}
ENTRY = {
    "mechanism": {"type": "generic", "handled": True, "planted": "planted", "meta": {"errno": {"number": 2}}},
    "module": "shop.errors",
    "type": "Declined",
    "value": "planted",
    "stacktrace": {"type": "raw", "frames": [{**FRAME, "module": "flask.app", "in_app": False}, FRAME]},
}


def limited(mode: ExceptionMode, **properties: Any) -> tuple[dict[str, Any], Receipt]:
    """Return what `mode` leaves of a `$exception` with `properties`, and the receipt."""
    receipt = Receipt()
    return dict(limit_exceptions("$exception", properties, mode, receipt, FILTER.hides)), receipt


def test_what_an_apps_own_sdk_recorded_is_cut_to_the_policy() -> None:
    """Type only by default; with frames those of the app's own code, without path, source and variables."""
    kept, receipt = limited(TYPE, **{"$exception_list": [ENTRY], "$exception_level": "error", "plan": "pro"})
    mechanism = {"type": "generic", "handled": True}
    bare = {"type": "Declined", "value": "", "mechanism": mechanism, "module": "shop.errors"}
    assert kept == {"$exception_list": [bare], "$exception_level": "error", "plan": "pro"}
    assert receipt.entries == [("$exception_list", "exceptions", "replaced")]
    kept, _ = limited(FRAMES, **{"$exception_list": [ENTRY]})
    frame = {key: FRAME[key] for key in ("platform", "filename", "function", "module", "lineno", "in_app")}
    assert kept == {"$exception_list": [{**bare, "stacktrace": {"type": "raw", "frames": [frame]}}]}


def test_what_is_as_the_policy_wants_it_is_noted_nowhere() -> None:
    """Idempotent, and silent on what it did not change."""
    once, _ = limited(FRAMES, **{"$exception_list": [ENTRY]})
    again, receipt = limited(FRAMES, **once)
    assert again == once
    assert receipt.entries == []


@pytest.mark.parametrize(
    "key", ["$exception_message", "$exception_values", "$exception_stack_trace_raw", "$exception_fingerprint"]
)
def test_all_else_that_tells_of_an_exception_goes(key: str) -> None:
    """Older and derived properties repeat the message."""
    kept, receipt = limited(FRAMES, **{key: "planted", "$exception_level": ["error"]})
    assert kept == {}
    assert receipt.entries == [(key, "exceptions", "removed"), ("$exception_level", "exceptions", "removed")]


def test_without_exceptions_there_are_none() -> None:
    """The event goes whole; on another event its properties go."""
    with pytest.raises(DropEvent, match="exceptions_off"):
        limited(OFF)
    kept = limit_exceptions("paid", {"$exception_list": [ENTRY], "plan": "pro"}, OFF, Receipt(), FILTER.hides)
    assert kept == {"plan": "pro"}


def test_an_event_without_an_exception_is_the_same_object() -> None:
    """Nothing is built on the way of ordinary events."""
    properties = {"plan": "pro"}
    assert limit_exceptions("paid", properties, TYPE, Receipt(), FILTER.hides) is properties


def test_messages_and_stacks_pass_no_allow_list() -> None:
    """A policy that allows them by mistake, or by a pattern to come, is not obeyed."""
    allow = frozenset({"exception.message", "exception.stacktrace", "exception.type"})
    passed = Filter(PrivacyPolicy(allow=allow)).telemetry(dict.fromkeys(allow, "x"), Receipt())
    assert passed == {"exception.type": "x"}


words = st.sampled_from(["planted", "/home/jane/planted.py", "planted me", "planted\nx", "C:\\planted"])
json_like = st.recursive(
    words | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FRAME, *ENTRY, "frames", "meta"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(json_like, json_like, words)
def test_nothing_gets_through_where_only_names_may(value: Any, frames: Any, name: str) -> None:
    """Whatever stands in the fields: a sentence, a path or a structure is not sent as a message, file or source."""
    entry = {**ENTRY, "value": value, "mechanism": value, "filename": name, "context_line": name}
    entry["stacktrace"] = {"frames": [{**FRAME, "filename": name, "abs_path": name, "lineno": name}, frames]}
    kept, _ = limited(FRAMES, **{"$exception_list": [entry, value], "$exception_level": name})
    (first, *_) = kept["$exception_list"]
    assert "planted" not in str(first)
