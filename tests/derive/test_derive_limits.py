"""How many events a rule makes: of a part of the traces, one for each, so many a minute; counted, in bounded memory."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from otel_posthog import derived_limits
from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import Item
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, Health
from otel_posthog.intake.otlp.records import LogRecord, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import (
    CollectionPolicy,
    DeriveConditions,
    DeriveRule,
    DeriveSignal,
    Destination,
    IdentityMode,
    OncePer,
    Policy,
)
from otel_posthog.recogniser import Recogniser
from otel_posthog.stages import Stages

DAY_NS, NOW_NS = 86_400 * 10**9, 1_790_000_000 * 10**9
RULE = DeriveRule("page", "page_viewed", DeriveConditions(span_name=("op",)))


def policy_of(**limits: Any) -> Policy:
    """Return a policy with one rule of these limits."""
    return Policy(
        identity=IdentityMode.IDENTIFIED,
        destinations=(Destination(api_key="phc_test"),),
        derive=(replace(RULE, **limits),),
    )


def span(trace_id: int = 7, time_ns: int = NOW_NS, **attributes: object) -> SpanRecord:
    """Return a span that the rule is about."""
    named = {key.replace("_", "."): value for key, value in attributes.items()}
    return SpanRecord("op", named, trace_id, 1, time_ns, (), "", {}, start_ns=time_ns, kind="SERVER")


class Sent:
    """What is sent under a policy, with a clock of its own."""

    def __init__(self, policy: Policy) -> None:
        self.now_s, self.health = 1000.0, Health()
        self.limits = Limits(policy, lambda: self.now_s)
        self.use(policy)

    def use(self, policy: Policy) -> None:
        """Put a policy in force."""
        self.limits.follow(policy)
        self.rules = Recogniser(policy)
        self.stages = Stages(policy, installation_id="i", health=self.health, guard=Guard(Health()), limits=self.limits)

    def __call__(self, item: SpanRecord) -> bool:
        """Return whether an event of `item` is sent."""
        outcomes = [each for signal in record_signals(item, self.rules) for each in self.stages.outcomes(signal)]
        return any(each.clean for each in outcomes)

    def dropped(self, reason: str) -> int:
        """Return how many were dropped for a reason."""
        return self.health.snapshot().get((DROPPED, reason), 0)


@pytest.mark.parametrize(("once_per", "key"), [(OncePer.USER, "user_id"), (OncePer.SESSION, "session_id")])
def test_one_for_each_user_or_session(once_per: OncePer, key: str) -> None:
    """Whatever trace and time; what names none is one; each other is counted, and no loss to warn of."""
    sent = Sent(policy_of(once_per=once_per))
    who: list[dict[str, Any]] = [{key: "a"}, {key: "b"}, {key: "a"}, {}, {}, {key: "b"}]
    assert [sent(span(at + 1, **each)) for at, each in enumerate(who)] == [True, True, False, True, False, False]
    assert sent.dropped("derive_once") == 3


def test_one_for_each_day() -> None:
    """By the event's own time, in UTC."""
    sent = Sent(policy_of(once_per=OncePer.DAY))
    days = [0, 0, 1, 1, 0, 2]
    found = [sent(span(at + 1, NOW_NS + day * DAY_NS)) for at, day in enumerate(days)]
    assert found == [True, False, True, False, False, True]


def test_the_same_event_again_is_no_other() -> None:
    """A sender that has no answer sends it again."""
    sent = Sent(policy_of(once_per=OncePer.USER))
    assert [sent(span(1, user_id="a")), sent(span(1, user_id="a")), sent(span(2, user_id="a"))] == [True, True, False]


def test_what_is_kept_back_does_not_count() -> None:
    """The event of a user who agrees later is the first."""
    policy = replace(policy_of(once_per=OncePer.USER), collection=CollectionPolicy(consent_required=True))
    sent = Sent(policy)
    assert not sent(span(1, user_id="a"))
    assert sent(span(2, user_id="a", analytics_consent=True))
    assert not sent(span(3, user_id="a", analytics_consent=True))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, and has an event again."""
    monkeypatch.setattr(derived_limits, "MAX_KEYS", 3)
    sent = Sent(policy_of(once_per=OncePer.USER))
    users = ["a", "b", "c", "a", "d", "a", "d"]
    found = [sent(span(at + 1, user_id=user)) for at, user in enumerate(users)]
    assert found == [True, True, True, False, True, True, False]


def test_so_many_a_minute() -> None:
    """The rest of the minute is dropped and counted; the next one has as many again."""
    sent = Sent(policy_of(max_per_minute=2))
    assert [sent(span(at)) for at in range(1, 6)] == [True, True, False, False, False]
    sent.now_s += 60
    assert sent(span(9))
    assert sent.dropped("derive_cap") == 3


def test_another_policy_remembers_what_was_sent() -> None:
    """Of a rule of the same name and limit."""
    sent = Sent(policy_of(once_per=OncePer.USER))
    assert sent(span(1, user_id="a"))
    sent.use(replace(policy_of(once_per=OncePer.USER), trace_url="https://x.example/{trace_id}"))
    assert not sent(span(2, user_id="a"))
    sent.use(policy_of())
    assert sent(span(3, user_id="a"))


def test_a_pipeline_has_them() -> None:
    """In the app's way and in the gateway's."""
    pipeline = Pipeline(policy_of(once_per=OncePer.USER), installation_id="i", health=Health(), guard=Guard(Health()))
    signals = [each for at in (1, 2, 3) for each in record_signals(span(at, user_id="a"), pipeline.recogniser)]
    assert pipeline.accept(signals[:2]).dropped == {"derive_once": 1}
    assert [each.reason for each in pipeline.stages.outcomes(signals[2])] == ["derive_once"]
    pipeline.shutdown(0)


def test_a_part_of_the_traces_is_the_same_everywhere() -> None:
    """By the last 56 bits; the smaller part is within the larger; nearly as many as asked for."""
    ids = [secrets.randbits(128) | 1 for _ in range(4000)]
    taken = {
        part: {each for each in ids if record_signals(span(each), Recogniser(policy_of(sample=part)))}
        for part in (0.0, 0.1, 0.5, 1.0)
    }
    assert (taken[0.0], taken[1.0]) == (set(), set(ids))
    assert taken[0.1] < taken[0.5]
    assert 250 < len(taken[0.1]) < 600
    for each in ids[:50]:
        other_half = each ^ (secrets.randbits(64) << 64)
        assert (each in taken[0.5]) is bool(record_signals(span(other_half), Recogniser(policy_of(sample=0.5))))


def test_what_belongs_to_no_trace_is_taken_at_random() -> None:
    """About as often."""
    rule = DeriveRule("line", "seen", DeriveConditions(signal=DeriveSignal.LOG, event_name=("a",)), sample=0.5)
    rules = Recogniser(replace(policy_of(), derive=(rule,)))
    record = LogRecord("a", {}, None, NOW_NS, NOW_NS, 0, 0, {})
    found = Counter(bool(record_signals(record, rules)) for _ in range(2000))
    assert 800 < found[True] < 1200


def test_explain_shows_what_an_item_would_be() -> None:
    """Whether it is in the sample or not, and however many there were."""
    explainer = Explainer(policy_of(sample=0.0, once_per=OncePer.USER, max_per_minute=1))
    for at in (1, 2):
        assert [each.name for each in explainer.explain(Item(1, span(at))).events] == ["page_viewed"]
