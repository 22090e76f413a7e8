"""The one composition: a signal has the same outcomes, whoever asks and however many are asked for at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

from clean import TIME_NS, policy

from otel_posthog.apps.explain.documents import Located
from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import items_of
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, RECEIVED, Health
from otel_posthog.model import Signal, Source
from otel_posthog.policy import IdentityMode, Policy
from otel_posthog.stages import Outcome, Stages, clean_events, drop_reasons, with_events


def signal(name: str = "e", source: Source = Source.LOG, **attributes: Any) -> Signal:
    """Return a signal; `__` in a name stands for a dot."""
    given = {f"analytics.{key.replace('__', '.')}": value for key, value in attributes.items()}
    return Signal(source, name, given, TIME_NS, trace_id=1, span_id=2)


SIGNALS = [
    signal(note="write to ada@example.org", user__id="u-4711", link="/u/u-4711"),
    signal(""),
    signal(consent=False),
    signal(
        source=Source.SPAN,
        user__id="u-4711",
        user__set__plan="pro",
        group__set__company__plan="pro",
        group__company="x",
    ),
    signal("$set", user__id="u-4711"),
    signal("bought", plan="pro"),
]


def stages(in_force: Policy, health: Health) -> Stages:
    """Return the stages under a policy."""
    return Stages(in_force, installation_id="installation-1", health=health, guard=Guard(health))


def test_many_signals_together_have_the_outcomes_of_each() -> None:
    """In the same order, with the same reasons, receipts and counts: a gateway and a worker send the same."""
    both = policy("http://127.0.0.1:9", "http://127.0.0.1:9")
    vendor, operator = both.destinations
    in_force = replace(both, destinations=(vendor, replace(operator, identity=IdentityMode.IDENTIFIED)))
    one_by_one, together = Health(), Health()
    signals = SIGNALS * 3
    each = [outcome for given in signals for outcome in stages(in_force, one_by_one).outcomes(given)]
    shown: list[Outcome] = []
    made, reasons = stages(in_force, together).cleaned_of_all(signals, shown.extend)
    # By its plan from the second of its shape on.
    assert any(outcome.event is None and outcome.clean for outcome in shown)
    by_signal = [list(found) for _, found in groupby(shown, lambda outcome: outcome.signal)]
    assert [outcome for found in by_signal for outcome in with_events(found)] == each
    assert (made, reasons) == (clean_events(each), drop_reasons(each))
    assert one_by_one.snapshot() == together.snapshot()
    assert one_by_one.actions() == together.actions()
    assert together.total(RECEIVED) == len(signals)
    assert together.total(DROPPED) == sum(not outcome.clean for outcome in each) > 0


def test_each_outcome_is_an_event_that_is_sent_or_a_reason() -> None:
    """Never both, never neither; without an event there is no destination and no receipt."""
    made = stages(policy("http://127.0.0.1:9"), Health())
    outcomes = [outcome for given in SIGNALS for outcome in made.outcomes(given)]
    assert {each.signal.name for each in outcomes} == {each.name for each in SIGNALS}
    for each in outcomes:
        assert bool(each.reason) is (each.clean is None)
        assert (each.event is None) is (each.destination is None) is (each.receipt is None)
    assert clean_events(outcomes) == [each.clean for each in outcomes if not each.reason]


def test_explain_shows_the_reason_that_the_worker_counts() -> None:
    """Of a signal that is no event, and of an event that a destination does not get."""
    explainer = Explainer(policy("http://127.0.0.1:9"))
    for content, reason in (
        ({"event": ""}, "name_invalid"),
        ({"event": "$set", "properties": {"$set": {"plan": "pro"}}, "distinct_id": "u1"}, "person_event"),
    ):
        (item,) = items_of(Located(1, content))
        shown = explainer.explain(item)
        assert [*shown.dropped, *(sent.dropped for event in shown.events for sent in event.sent)] == [reason]
