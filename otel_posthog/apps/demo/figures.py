"""A run of the demo in figures, and the verdict on them: one check for each promise of the package.

A figure is `None` where only a server of the user's own could know it. Pure values: nothing here reads or prints.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run at one moment.

    Attributes:
        requests: Requests that the helpdesk answered.
        product_events_expected: Product events that these must yield, by the traffic's own count.
        product_events_delivered: Different events that the embedded PostHog received.
        duplicates: Events that it received more than once.
        operational_spans: Spans that the OTLP sink received; likewise metrics (by name) and logs.
        operational_items_with_product_attributes: How many of those carry anything named `analytics.`.
        planted_values: Different personal values that the requests carried.
        planted_values_seen_by_posthog: How many of those stand in the bytes that PostHog received; likewise OTLP.
        seconds: Wall time of the run.
        spans_of_all_requests: Spans that the app started, by the SDK's own count: what `always_on` would export; None
            while that count, which is exported every ten seconds, is behind what has arrived.
        expected_by_name: `product_events_expected`, by event name; likewise delivered.
        surprises: Answers of the helpdesk that the script did not expect.
        leaks_to_posthog: Kind and surroundings of each planted value seen; likewise OTLP.
    """

    requests: int = 0
    product_events_expected: int = 0
    product_events_delivered: int | None = None
    duplicates: int | None = None
    operational_spans: int | None = None
    operational_metrics: int | None = None
    operational_logs: int | None = None
    operational_items_with_product_attributes: int | None = None
    planted_values: int = 0
    planted_values_seen_by_posthog: int | None = None
    planted_values_seen_by_otlp: int | None = None
    seconds: float = 0.0
    spans_of_all_requests: int | None = None
    expected_by_name: Mapping[str, int] = field(default_factory=dict)
    delivered_by_name: Mapping[str, int] = field(default_factory=dict)
    surprises: tuple[str, ...] = ()
    leaks_to_posthog: tuple[str, ...] = ()
    leaks_to_otlp: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether product events are still on their way."""
        delivered = self.product_events_delivered
        return delivered is not None and delivered < self.product_events_expected

    def to_json(self) -> str:
        """Return one line of JSON; the fields' order is that of its keys."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Pair:
    """A text before and after; empty while it has not been seen."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a view shows of single items.

    Attributes:
        comment: The ticket's text, as typed and as the product event's property.
        log: The line about a failed refund, as the app logged it and as OTLP received it.
        kept: The other properties of the event.
        removed: The keys that did not arrive at all.
    """

    comment: Pair = Pair()
    log: Pair = Pair()
    kept: Mapping[str, object] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


def changes(pair: Pair) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both texts of `pair` in pieces, each with whether the other text lacks it."""
    before, after = WORDS.findall(pair.before), WORDS.findall(pair.after)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, left_start, left_end, right_start, right_end in matcher.get_opcodes():
        left.append(("".join(before[left_start:left_end]), tag != "equal"))
        right.append(("".join(after[right_start:right_end]), tag != "equal"))
    return left, right


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a view shows of one moment of a run.

    Attributes:
        phase: What is going on, in two or three words.
        figures: The figures of this moment.
        sample: One ticket and one log line, before and after, as soon as they have arrived.
    """

    phase: str
    figures: Figures
    sample: Sample


@dataclass(frozen=True, slots=True)
class Check:
    """One promise.

    Attributes:
        held: Whether it held; None where the demo cannot know.
        text: What was seen.
    """

    held: bool | None
    text: str


def checks(figures: Figures, requests: int, *, unprotected: bool = False) -> tuple[Check, ...]:
    """Return all checks of a finished run.

    Args:
        figures: Of its end.
        requests: How many were to be sent.
        unprotected: Whether it was one without this package.
    """
    return (
        _traffic(figures, requests),
        _delivery(figures, unprotected=unprotected),
        _privacy("PostHog", figures.planted_values, figures.planted_values_seen_by_posthog),
        _privacy("OTLP", figures.planted_values, figures.planted_values_seen_by_otlp),
        _separation(figures),
    )


def passed(made: tuple[Check, ...]) -> bool:
    """Return whether nothing that could be checked failed."""
    return all(check.held is not False for check in made)


def _traffic(figures: Figures, requests: int) -> Check:
    text = f"the helpdesk answered {figures.requests:,} of {requests:,} requests"
    if not figures.surprises:
        return Check(figures.requests == requests, text)
    return Check(False, f"{text}, {len(figures.surprises)} not as expected, e.g. {figures.surprises[0]}")


def _delivery(figures: Figures, *, unprotected: bool) -> Check:
    expected, delivered = figures.product_events_expected, figures.product_events_delivered
    if delivered is None:
        return Check(None, f"{expected:,} product events must be in your PostHog project now")
    held = delivered == expected and not figures.duplicates and figures.delivered_by_name == figures.expected_by_name
    twice = figures.duplicates or "none"
    if not delivered:
        why = ", as nothing sends them" if unprotected else ": is collection switched off?"
        return Check(held, f"none of {expected:,} product events reached PostHog{why}")
    return Check(held, f"{delivered:,} of {expected:,} product events reached PostHog, {twice} of them twice")


def _privacy(side: str, planted: int, seen: int | None) -> Check:
    if seen is None:
        return Check(None, f"{planted} planted personal values: look for them at your {side} side")
    return Check(seen == 0, f"{seen or 'none'} of {planted} planted personal values reached {side}")


def _separation(figures: Figures) -> Check:
    items = figures.operational_items_with_product_attributes
    if items is None:
        return Check(None, "product attributes: look for `analytics.` at your OTLP side")
    return Check(items == 0, f"{items or 'no'} operational span, log or metric carries product attributes")
