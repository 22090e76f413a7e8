"""The values of a run of the demo: what was asked for, its figures at one moment, and the verdict on them.

The verdict is one check for each promise of the package. A figure is `None` where only a server of the user's own
could know it. Nothing here reads or prints.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from otel_posthog import environment_variables as env
from otel_posthog.text import visible

OTLP_ENDPOINT, OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
OWN = (env.POSTHOG_API_KEY, OTLP_ENDPOINT)
"""What names destinations of the user's own."""

_NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 10: "ten", 20: "twenty", 100: "a hundred"}
_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for.

    Attributes:
        requests: How many requests to send.
        sampler: For the app's `OTEL_TRACES_SAMPLER`.
        sampling: For its `OTEL_TRACES_SAMPLER_ARG`, 0 to 1.
        seed: Of all that is made up.
        keep: Whether to keep the run's folder.
        unprotected: Whether to run the app as if this package were not installed.
        environ: The environment of the demo itself.
        live: Whether what the environment names gets the made-up telemetry; else nothing leaves this machine.
    """

    requests: int
    sampler: str
    sampling: float
    seed: int
    keep: bool
    unprotected: bool
    environ: Mapping[str, str]
    live: bool = False

    @property
    def title(self) -> str:
        """What is run, in a few words."""
        return "otel-posthog demo, without otel-posthog" if self.unprotected else "otel-posthog demo"

    @property
    def sampler_shown(self) -> str:
        """What the sampler does, in words; the name of one that is not the SDK's own."""
        name = self.sampler.removeprefix("parentbased_")
        share = {"always_on": 1.0, "always_off": 0.0, "traceidratio": self.sampling}.get(name)
        return visible(self.sampler) if share is None else _kept_in_words(share)

    @property
    def own_posthog(self) -> bool:
        """Whether events go to a PostHog project of the user's."""
        return self.live and bool(self.environ.get(env.POSTHOG_API_KEY))

    @property
    def own_otlp(self) -> bool:
        """Whether operational telemetry goes to an OTLP endpoint of the user's."""
        return self.live and bool(self.environ.get(OTLP_ENDPOINT))

    @property
    def unused(self) -> tuple[str, ...]:
        """The variables of the user's own destinations that are not used."""
        return () if self.live else tuple(name for name in OWN if self.environ.get(name))


def _kept_in_words(share: float) -> str:
    if share in {0.0, 1.0}:
        return "every trace kept" if share else "no trace kept"
    number = round(1 / share)
    if abs(share * number - 1) > 1e-6:
        return f"{share:.2%} of the traces kept".replace(".00%", "%")
    return f"one trace in {_NUMBER_WORDS.get(number, f'{number:,}')} kept"


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
    before, after = _WORD.findall(pair.before), _WORD.findall(pair.after)
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
