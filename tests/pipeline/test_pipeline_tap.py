"""Who looks on: every outcome is shown, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from clean import TIME_NS, policy

from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, FAULT, Health
from otel_posthog.model import CleanEvent, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.stages import Outcome

MAIL = "ada.lovelace@example.org"


def signal(name: str = "e", **attributes: Any) -> Signal:
    """Return the signal of a log-based event."""
    return Signal(Source.LOG, name, {f"analytics.{key}": value for key, value in attributes.items()}, TIME_NS)


class Watched:
    """A pipeline that sends nothing, with all that its tap has seen and all that would be sent."""

    def __init__(self) -> None:
        self.health, self.is_out = Health(), False
        self.pipeline = Pipeline(
            policy("http://127.0.0.1:9", "http://127.0.0.1:9"),
            installation_id="installation-1",
            health=self.health,
            guard=Guard(self.health),
            is_opted_out=lambda: self.is_out,
        )
        self.seen: list[Outcome] = []
        self.sent: list[CleanEvent] = []

    def submit(self, given: Signal) -> None:
        """Have `given` handled."""
        self.pipeline.submit(given)
        assert self.pipeline.flush(5)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A pipeline that is watched."""
    made = Watched()

    def sent(*events: CleanEvent) -> None:
        made.sent.extend(events)

    def accepted(events: Sequence[CleanEvent]) -> bool:
        made.sent.extend(events)
        return True

    monkeypatch.setattr(made.pipeline._delivery, "submit", sent)
    monkeypatch.setattr(made.pipeline._delivery, "accept", accepted)
    made.pipeline.watch(made.seen.extend)
    yield made
    made.pipeline.shutdown(0)


def test_a_tap_sees_what_is_sent_to_each_destination(watched: Watched) -> None:
    """The signal, the event before it is filtered, the receipt, and the very value that is sent."""
    given = signal(note=f"by {MAIL}")
    watched.submit(given)
    assert [each.clean for each in watched.seen] == watched.sent
    assert [each.destination.name for each in watched.seen if each.destination] == ["default", "d1"]
    for each in watched.seen:
        assert (each.signal, each.reason) == (given, "")
        assert each.event is not None
        assert each.event.properties == {"note": f"by {MAIL}"}
        assert each.receipt is not None
        assert each.receipt.entries == [("note", "email", "replaced")]


def test_a_tap_sees_drops_with_their_reason(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a signal that is no event once, of an event for each destination; whether a stage decided so or failed."""
    watched.submit(signal(name=""))
    watched.submit(signal(consent=False))
    monkeypatch.setattr(Guard, "reraise", False)
    monkeypatch.setattr("otel_posthog.clean.person", lambda *_, **__: 1 / 0)
    watched.submit(signal())
    assert [(each.reason, each.event is None, each.clean) for each in watched.seen] == [
        ("name_invalid", True, None),
        *[("consent", False, None)] * 2,
        *[("error_in_clean", False, None)] * 2,
    ]
    assert watched.sent == []


def test_a_tap_sees_what_a_gateway_accepts(watched: Watched) -> None:
    """Also where many signals go through the stages together."""
    accepted = watched.pipeline.accept([signal(n=1), signal(name=""), signal(n=2)])
    assert (accepted.is_kept, accepted.events, accepted.dropped) == (True, 4, {"name_invalid": 1})
    assert [each.clean for each in watched.seen if each.clean] == watched.sent
    assert [each.reason for each in watched.seen] == ["", "", "name_invalid", "", ""]


def test_a_tap_that_raises_is_counted_and_stops_nothing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is sent all the same, and nothing of it is counted as dropped."""
    monkeypatch.setattr(Guard, "reraise", False)
    watched.pipeline.watch(lambda _: 1 / 0)
    watched.submit(signal())
    assert watched.pipeline.accept([signal()]).is_kept
    assert len(watched.sent) == 4
    assert watched.health.snapshot()[FAULT, "tap:ZeroDivisionError"] == 2
    assert watched.health.total(DROPPED) == 0


def test_a_tap_sees_nothing_of_who_has_opted_out(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even of an event that was under way when the choice was made."""
    real = watched.pipeline.stages.outcomes

    def opting_out(given: Signal) -> list[Outcome]:
        watched.is_out = True
        return real(given)

    monkeypatch.setattr(watched.pipeline.stages, "outcomes", opting_out)
    watched.submit(signal())
    assert watched.is_out
    assert (watched.seen, watched.sent) == ([], [])


def test_a_tap_stays_when_the_policy_changes_until_it_is_taken_away(watched: Watched) -> None:
    """Another policy in force is watched too; with None nobody looks on any more."""
    watched.pipeline.replace_policy(watched.pipeline.policy)
    watched.submit(signal())
    assert len(watched.seen) == 2
    watched.pipeline.watch(None)
    watched.submit(signal())
    assert (len(watched.seen), len(watched.sent)) == (2, 4)


def test_nothing_is_shown_while_nobody_looks(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tap a signal costs one test more, and no call."""
    watched.pipeline.watch(None)
    monkeypatch.setattr(watched.pipeline, "_show", pytest.fail)
    watched.submit(signal())
    watched.pipeline.accept([signal()])
    assert len(watched.sent) == 4
