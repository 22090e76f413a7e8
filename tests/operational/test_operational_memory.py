"""What an exporter's filter remembers of earlier items changes nothing of what becomes of later ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import OperationalPolicy, Policy
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.privacy import Filter

KEYS = (
    "http.route", "http.target", "url.path", "user.id", "analytics.plan", "enduser.id", "ticket.id", "note", "",
    "http.request.header.authorization", "customer_ids.count", "mail.to.ada@example.org", "k" * 300,
)  # fmt: skip
VALUES = (
    "/users/<name>", "/users/ada", "GET", "user.id", "ada@example.org", "note", "Bearer " + "a1B2" * 9, "x" * 300,
    True, 1, 1.0, 4_111_111_111_111_111, ("a", "ada@example.org"), ["GET"], None, b"raw", {"user.id": "ada", "a": 1},
)  # fmt: skip


class Name(str):
    """A text of the app's own class, which is equal to any other."""

    __slots__ = ()

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = str.__hash__


ITEMS = st.lists(
    st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from(VALUES) | st.sampled_from(["note", "ada@example.org"]).map(Name)
    ),
    min_size=1,
    max_size=6,
)
POLICY = Policy()
LEFT = {"Exporter": frozenset({"user.id", "analytics.plan"})}


def redactor(policy: OperationalPolicy) -> Redactor:
    """Return a filter that remembers nothing yet."""
    return Redactor(policy, Filter(POLICY.operational_privacy), Guard(Health()))


@settings(max_examples=150)
@given(items=ITEMS, redact=st.booleans(), left=st.sampled_from([{}, LEFT]))
def test_an_item_becomes_what_it_would_as_the_first(items: list[Any], redact: bool, left: dict[str, Any]) -> None:
    """Attributes, bodies, names, again and again, in any order, where a policy leaves keys to an exporter too."""
    policy = replace(POLICY.operational, redact=redact, exporter_keys=FrozenMap(left))
    exporter = type("Exporter", (), {})()
    used = redactor(policy).for_exporter(exporter)
    for item in [*items, *items]:
        fresh = redactor(policy).for_exporter(exporter)
        expected, found = fresh.attributes(item), used.attributes(item)
        assert [*found.items()] == [*expected.items()]
        assert [type(each) for each in found.values()] == [type(each) for each in expected.values()]
        assert (found is item) is (expected is item)
        for value in item.values():
            if type(value) is str:
                used.value("", value)  # as a record's body
                used.text(value)
