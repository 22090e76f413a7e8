"""The two ends that the demo embeds, PostHog and OTLP, and what has arrived there: counts, leaks, product data on OTLP.

Neither end is made where `--live` names one of the user's own. Leaks are planted values, looked for in the raw bytes,
in every spelling in which telemetry may carry them.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import final
from urllib.parse import quote, quote_plus

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.app import AppProcess
from otel_posthog.apps.demo.model import OTLP_ENDPOINT, OTLP_PROTOCOL, Figures, Options, Pair, Sample
from otel_posthog.apps.demo.planted import Planted, customers, owner
from otel_posthog.apps.demo.traffic import Tally, TypedTicket
from otel_posthog.testing import FakePostHog, OtlpSink, SinkLog, SinkMetric, SinkSpan

API_KEY = "phc_demo"
SPANS_STARTED = "otel.sdk.span.started"
"""The SDK's own counter; it counts the spans that the sampler leaves out as well."""

DECLARED_KEYS = ("priority", "channel", "plan", "ticket_id", "comment", "customer_email")
"""The properties that the helpdesk puts on `ticket_created`."""

OVERLAP_BYTES = 512
EXCERPT_BYTES = 48
MAX_STRING_BYTES = 1024
LENGTH_DELIMITED = 2  # the wire type of strings
UNPRINTABLE = re.compile(rb"[^\x20-\x7e]+")
PREFIX = "analytics."


@final
class Receivers:
    """A running `FakePostHog` and `OtlpSink`, or None for each that the user's own replaces.

    Attributes:
        posthog: The embedded PostHog.
        otlp: The embedded OTLP receiver.
    """

    def __init__(self, options: Options) -> None:
        self.posthog = None if options.own_posthog else FakePostHog(api_key=API_KEY)
        self.otlp = None if options.own_otlp else OtlpSink()
        self._running = ExitStack()

    def __enter__(self) -> Receivers:
        """Start them."""
        for server in (self.posthog, self.otlp):
            if server is not None:
                self._running.enter_context(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop them."""
        self._running.close()

    def environment(self) -> dict[str, str]:
        """Return the variables that point the app at them."""
        variables: dict[str, str] = {}
        if self.posthog is not None:
            variables |= {env.POSTHOG_API_KEY: API_KEY, env.POSTHOG_HOST: self.posthog.url}
        if self.otlp is not None:
            variables |= {OTLP_ENDPOINT: self.otlp.url, OTLP_PROTOCOL: "http/protobuf"}
        return variables


class Observer:
    """Turns a tally and two servers into figures, as often as asked."""

    def __init__(self, tally: Tally, receivers: Receivers, seed: int) -> None:
        self._tally = tally
        self._receivers = receivers
        self._started_s = time.monotonic()
        everything = [value for customer in customers(seed) for value in customer.values()] + [owner(seed)]
        self._at_posthog = LeakSearch(everything)
        self._at_otlp = LeakSearch(everything)

    def figures(self) -> Figures:
        """Return the figures of this moment."""
        # What has arrived first, what was to arrive after it: the other way round more may be there than is expected.
        posthog, otlp = self._receivers.posthog, self._receivers.otlp
        delivered = Counter(event.event for event in posthog.unique_events) if posthog else Counter[str]()
        spans = len(otlp.spans) if otlp else None
        tally = self._tally
        return Figures(
            requests=tally.requests,
            product_events_expected=tally.expected_events,
            product_events_delivered=delivered.total() if posthog else None,
            duplicates=posthog.duplicates if posthog else None,
            operational_spans=spans,
            operational_metrics=len({metric.name for metric in tuple(otlp.metrics)}) if otlp else None,
            operational_logs=len(otlp.logs) if otlp else None,
            operational_items_with_product_attributes=product_items(otlp) if otlp else None,
            planted_values=len(tally.planted),
            planted_values_seen_by_posthog=self._at_posthog.search(posthog.raw_bytes) if posthog else None,
            planted_values_seen_by_otlp=self._at_otlp.search(otlp.raw_bytes) if otlp else None,
            seconds=round(time.monotonic() - self._started_s, 1),
            spans_of_all_requests=_spans_started(otlp, spans or 0) if otlp else None,
            expected_by_name=dict(tally.events),
            delivered_by_name=dict(delivered),
            surprises=tuple(tally.surprises),
            leaks_to_posthog=_leaks(self._at_posthog),
            leaks_to_otlp=_leaks(self._at_otlp),
        )


def _leaks(search: LeakSearch) -> tuple[str, ...]:
    return tuple(f"{value.kind}: {excerpt}" for value, excerpt in search.seen.items())


def _spans_started(sink: OtlpSink, exported: int) -> int | None:
    """Return the newest total of the SDK's counter, summed over its attributes; None while it lags behind the spans."""
    newest = {
        tuple(sorted(map(str, attributes.items()))): value
        for metric in tuple(sink.metrics)
        if metric.name == SPANS_STARTED
        for attributes, value in metric.points
    }
    total = int(sum(newest.values()))
    return total if total >= max(1, exported) else None


def take_sample(ticket: TypedTicket | None, receivers: Receivers, app: AppProcess) -> Sample:
    """Return what is known of `ticket` so far."""
    if ticket is None:
        return Sample()
    part = f"refund for ticket {ticket.ticket_id} failed"
    log = Pair(app.log_line(part), _logged(receivers, part))
    properties = _properties(receivers, ticket.ticket_id)
    if not properties:
        return Sample(Pair(ticket.comment), log)
    kept = {key: properties[key] for key in DECLARED_KEYS if key in properties and key != "comment"}
    removed = tuple(key for key in DECLARED_KEYS if key not in properties)
    return Sample(Pair(ticket.comment, str(properties.get("comment", ""))), log, kept, removed)


def _properties(receivers: Receivers, ticket_id: int) -> Mapping[str, object]:
    if receivers.posthog is None:
        return {}
    created = receivers.posthog.named("ticket_created")
    return next((event.properties for event in created if event.properties.get("ticket_id") == ticket_id), {})


def _logged(receivers: Receivers, part: str) -> str:
    if receivers.otlp is None:
        return ""
    bodies = (str(log.body) for log in tuple(receivers.otlp.logs))
    return next((body for body in bodies if body.startswith(part)), "")


def spellings(text: str) -> set[bytes]:
    """Return `text` as it stands in UTF-8, in JSON and in URLs."""
    encoded = {
        quote(text, safe=""),
        quote(text, safe="@:/+"),
        quote_plus(text),
        "".join(f"%{byte:02X}" for byte in text.encode()),
    }
    # Escapes are hexadecimal in either case; the text between them keeps its own.
    lower = {re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), spelling) for spelling in encoded}
    return {variant.encode() for variant in (text, json.dumps(text)[1:-1], *encoded, *lower)}


class LeakSearch:
    """The planted values that have been seen in what one side received; searches new bytes only.

    Attributes:
        seen: The values seen so far, each with the bytes around its first place, made printable.
    """

    def __init__(self, planted: Iterable[Planted]) -> None:
        self.seen: dict[Planted, str] = {}
        self._wanted = {value: spellings(value.telltale) for value in planted}
        self._searched_bytes = 0

    def search(self, received: bytes) -> int:
        """Search what `received` has more than last time; return how many values have been seen so far."""
        new = received[max(0, self._searched_bytes - OVERLAP_BYTES) :]
        self._searched_bytes = len(received)
        for value in tuple(self._wanted):
            place = max(map(new.find, self._wanted[value]))
            if place >= 0:
                self.seen[value] = _excerpt(new, place)
                del self._wanted[value]
        return len(self.seen)


def _excerpt(received: bytes, place: int) -> str:
    """Return the text that stands at `place`, without what protobuf puts around it."""
    start, end = _string_at(received, place) or _printable_at(received, place)
    text = received[max(start, place - EXCERPT_BYTES) : min(end, place + EXCERPT_BYTES)]
    return text.decode("utf-8", "ignore").strip()


def _string_at(received: bytes, place: int) -> tuple[int, int] | None:
    """Return where the protobuf string begins and ends that holds `place`: it stands after its tag and its length."""
    # The longest: within a text two characters may look like a tag and a length too.
    for start in range(max(2, place - MAX_STRING_BYTES), place + 1):
        length, tag_at = received[start - 1], start - 2
        if length < 0x80 <= received[start - 2] and start > 2:
            length, tag_at = received[start - 2] & 0x7F | length << 7, start - 3
        end = start + length
        is_string = received[tag_at] & 7 == LENGTH_DELIMITED and place < end <= len(received)
        if is_string and not UNPRINTABLE.search(received, start, end):
            return start, end
    return None


def _printable_at(received: bytes, place: int) -> tuple[int, int]:
    start = max(
        (each.end() for each in UNPRINTABLE.finditer(received, max(0, place - EXCERPT_BYTES), place)), default=0
    )
    after = UNPRINTABLE.search(received, place)
    return start, after.start() if after else len(received)


def product_items(sink: OtlpSink) -> int:
    """Return how many spans, logs and metrics carry a product attribute or a product event's name."""
    return (
        sum(map(_in_span, tuple(sink.spans)))
        + sum(map(_in_log, tuple(sink.logs)))
        + sum(map(_in_metric, tuple(sink.metrics)))
    )


def _in_span(span: SinkSpan) -> bool:
    in_events = any(name.startswith(PREFIX) or _has(attributes) for name, attributes in span.events)
    return in_events or _has(span.attributes) or _has(span.resource) or _has(span.links)


def _in_log(log: SinkLog) -> bool:
    return (log.event_name or "").startswith(PREFIX) or _has(log.attributes) or _has(log.resource)


def _in_metric(metric: SinkMetric) -> bool:
    return _has(metric.resource) or any(_has(attributes) for attributes, _ in metric.points)


def _has(value: object) -> bool:
    """Return whether a key that begins with the prefix stands anywhere in `value`."""
    if isinstance(value, Mapping):
        return any(str(key).startswith(PREFIX) or _has(inner) for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return any(map(_has, value))
    return False
