"""The app's side while somebody looks on: how much it does at a time, and that what it shows is what was sent."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from clean import TIME_NS
from events import ring
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.inspection.explaining import Explaining
from otel_posthog.inspection.form import Values, as_line
from otel_posthog.inspection.ring import Entry, Ring
from otel_posthog.inspection.viewers import Viewer
from otel_posthog.model import ContextIdentity, Signal, Source
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, IdentityMode, Policy, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.stages import Outcome, Stages

MAIL = "ada@example.org"
BY_LIST, DESTINATIONS = "allow_list", (Destination(api_key="phc_a"), Destination("second", "phc_b"))


def policy(identity: IdentityMode, second: IdentityMode, *allowed: str, words: frozenset[str] = frozenset()) -> Policy:
    """Return one whose destinations are not alike."""
    first, other = DESTINATIONS
    own = PrivacyPolicy(allow=PrivacyPolicy().allow | {*allowed, "order.kind"})
    return Policy(
        identity=identity,
        privacy=PrivacyPolicy(
            allow=PrivacyPolicy().allow | set(allowed), sensitive_keys=PrivacyPolicy().sensitive_keys | words
        ),
        destinations=(first, replace(other, identity=second, privacy=own)),
    )


POLICIES = [
    policy(IdentityMode.INSTALLATION, IdentityMode.IDENTIFIED),
    policy(IdentityMode.PSEUDONYMOUS, IdentityMode.UNLINKED, "user_agent.original"),
    policy(IdentityMode.IDENTIFIED, IdentityMode.INSTALLATION, "db.query.text", words=frozenset({"plan"})),
]
SIGNALS = st.builds(
    lambda name, attributes, context, is_sampled: Signal(
        Source.LOG, name, attributes, TIME_NS, 7, 8, {"service.name": "shop"}, context, is_sampled=is_sampled
    ),
    st.sampled_from(["bought", "viewed", "$identify", ""]),
    st.fixed_dictionaries(
        {"analytics.plan": st.sampled_from(["team", 3, f"by {MAIL}"])},
        optional={
            "http.route": st.just("/u"),
            "user_agent.original": st.just("curl"),
            "db.query.text": st.just("SELECT 1"),
            "order.kind": st.just("gift"),
            "analytics.consent": st.just(False),
            "analytics.user.id": st.just("u-4711"),
            "analytics.uuid": st.just("0199d3a0-0000-7000-8000-000000000001"),
        },
    ),
    st.sampled_from([None, ContextIdentity(user_id="u-4711", session_id="s-0815")]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        SIGNALS,
        SIGNALS,
        st.sampled_from(range(len(POLICIES))),
        st.sampled_from(["installation-1", "installation-2"]),
        st.just(None),
    ),
    min_size=4,
    max_size=20,
)


class Watched:
    """A pipeline that is watched as the feed does, and what each of its events truly is."""

    def __init__(self) -> None:
        self.health = Health()
        self.installation, self.pseudonyms = "installation-1", Pseudonyms(keys=ring())
        self.pipeline = Pipeline(
            POLICIES[0],
            installation_id=self.installation,
            health=self.health,
            guard=Guard(self.health),
            pseudonyms=self.pseudonyms,
        )
        redactor = Redactor(POLICIES[0].operational, Filter(PrivacyPolicy()), Guard(self.health))
        self.explaining = Explaining(self.pipeline, redactor, Values.ALL)
        self.pipeline.watch(self._seen)
        self.entries, self.known = list[Entry](), set[str]()
        self.expected = list[tuple[str, Sequence[Outcome]]]()

    def _seen(self, outcomes: Sequence[Outcome]) -> None:
        self.entries.append(Entry(len(self.entries) + 1, TIME_NS, [list(outcomes)]))

    def take(self, step: Signal | int | str | None) -> None:
        """Go on by one step: an event, another policy, another installation, or a turn of the feed."""
        if isinstance(step, Signal):
            self._expect(step)
            self.pipeline.accept([step])
        elif isinstance(step, int):
            self.pipeline.replace_policy(POLICIES[step], ring())
        elif isinstance(step, str):
            self.installation = step
            self.pipeline.renew(step, Pseudonyms(keys=ring()))
        else:
            self.explaining.follow()
            self.known.add(self.pipeline.stages.revision)

    def _expect(self, signal: Signal) -> None:
        """Work out in full what becomes of a signal now."""
        made = Stages(
            self.pipeline.policy,
            installation_id=self.installation,
            health=Health(),
            guard=Guard(Health()),
            pseudonyms=self.pipeline.pseudonyms,
            is_detailed=True,
        )
        self.expected.append((made.revision, made.outcomes(signal)))


BOUGHT = Signal(
    Source.LOG,
    "bought",
    {"analytics.plan": "team", "user_agent.original": "curl", "db.query.text": "SELECT 1", "order.kind": "gift"},
    TIME_NS,
    resource={"service.name": "shop"},
)
# Three times in a row: the third goes by its plan.
ORDINARY = [*[BOUGHT] * 3, None, 1, *[BOUGHT] * 3, 2, "installation-2", BOUGHT, None, 0]


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example(ORDINARY)
def test_what_is_shown_is_what_was_sent(steps: list[Signal | int | str | None]) -> None:
    """At each destination, whatever policy and installation are in force by then: bytes, reason, rules, what there was.

    Where the feed never saw the policy, it does not say which attributes that let leave, and as whom.
    """
    watched = Watched()
    try:
        for step in [*steps, *steps]:
            watched.take(step)
        watched.take(None)
        for entry, (revision, outcomes) in zip(watched.entries, watched.expected, strict=True):
            form = json.loads(as_line(watched.explaining.form(entry)))
            expected = [each for each in outcomes if each.event]
            shown = [(event, sent) for event in form["events"] for sent in event["destinations"]]
            assert form["dropped"] == [each.reason for each in outcomes if not each.event]
            for (event, sent), outcome in zip(shown, expected, strict=True):
                _compare(event, sent, outcome, is_known=revision in watched.known)
    finally:
        watched.pipeline.shutdown(0)


def _compare(event: dict[str, Any], sent: dict[str, Any], outcome: Outcome, *, is_known: bool) -> None:
    assert outcome.event is not None
    assert outcome.receipt is not None
    assert outcome.destination is not None
    assert sent["event"] == (json.loads(outcome.clean.body) if outcome.clean else None)
    assert (sent["dropped"] or "", sent["policy"]) == (outcome.reason, outcome.receipt.policy)
    assert event["before"]["properties"] == outcome.event.properties
    assert event["before"]["telemetry"] == outcome.event.telemetry
    changes = sorted((each["key"], each["rule"], each["action"]) for each in sent["changes"])
    assert changes == sorted(each for each in outcome.receipt.entries if is_known or each[1] != BY_LIST)
    assert bool(sent["identity"]) is is_known


def test_a_viewer_is_served_a_little_at_a_time() -> None:
    """So that the app's threads and the worker wait for it no longer; nothing is passed over for that."""
    ring = Ring()
    for _ in range(100):
        ring.add(Entry(0, 0))
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.setblocking(False)
        viewer, shown = Viewer(ours, b""), list[int]()

        def line_of(entry: Entry) -> bytes:
            until = time.thread_time() + 0.001
            while time.thread_time() < until:
                pass
            shown.append(entry.seq)
            return b"{}\n"

        while len(shown) < 100:
            before = len(shown)
            viewer.show(ring, line_of, 0.005)
            assert 1 <= len(shown) - before <= 6
    assert shown == list(range(1, 101))
    assert viewer.skipped == 0
