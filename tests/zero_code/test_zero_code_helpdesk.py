"""The helpdesk's operational trace with this package and without it: the same, span for span and id for id.

Both runs have the same id generator and get the same requests with the same `traceparent` headers, so that a sampler
decides alike: what differs is our doing.
"""

from __future__ import annotations

import http.client
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from processes import PROGRAMS, command, environment, running

from otel_posthog.operational import LINKS_MARK
from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.otlp_sink import SinkSpan

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MAIL = "ada@example.com"
FORM = {"number": "cust-4711", "email": MAIL, "phone": "+49 151 234 5678", "plan": "team", "password": "x y"}
TICKET = {"subject": "Printer", "priority": "high", "channel": "web", "comment": f"call {MAIL}"}
OURS_TO_TAKE = ("analytics.", "user.", "enduser.", "session.")

VISIT: list[tuple[str, dict[str, str] | None]] = [
    ("/sign-up", FORM),
    ("/login", FORM),
    ("/tickets", None),
    ("/tickets", TICKET),
    ("/tickets/1", None),
    ("/tickets/1/replies", {"text": "Thanks"}),
    ("/search?q=Printer", None),
    ("/export.csv", None),
    (f"/customers/{MAIL}", None),
    ("/tickets/1/refund", {"card": "4111 1111 1111 1111"}),
    *(("/tickets/1", None) for _ in range(30)),
]


@dataclass(frozen=True)
class Caller:
    """Who calls the helpdesk: what its `traceparent` headers say.

    Attributes:
        flags: One after the other, for ever; None is a request without the header.
    """

    flags: tuple[str | None, ...]

    def headers(self, number: int) -> dict[str, str]:
        """Return the headers of the request with this number."""
        flags = self.flags[number % len(self.flags)]
        if flags is None:
            return {}
        ids = random.Random(number)
        return {"traceparent": f"00-{ids.getrandbits(128):032x}-{ids.getrandbits(64):016x}-{flags}"}


def visit(url: str, caller: Caller) -> None:
    """Make all requests, one after the other, on one connection, as one customer."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    cookie = ""
    for number, (path, form) in enumerate(VISIT):
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", **caller.headers(number)}
        connection.request("GET" if form is None else "POST", path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        answer.read()
        cookie = answer.headers.get("Set-Cookie", cookie).partition(";")[0]
    connection.close()


def spans(folder: Path, caller: Caller, posthog: FakePostHog | None, **environ: str) -> list[SinkSpan]:
    """Return the operational spans of a visit; without a PostHog the package is left out."""
    with OtlpSink() as sink:
        variables = environment(otlp=sink.url, posthog=posthog.url if posthog else None, **environ)
        if posthog is None:
            variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] += ",posthog"
        variables["PYTHONPATH"] = os.pathsep.join([str(folder), str(PROGRAMS), str(EXAMPLES)])
        database = str(folder / ("with.db" if posthog else "without.db"))
        words = (command("opentelemetry-instrument"), sys.executable, "-m", "helpdesk", "--port", "0")
        with running(*words, "--database", database, environ=variables) as tree:
            visit(tree.wait_for(r"listening on (http://\S+)")[0], caller)
            assert tree.end() == 0, tree.out
        return sorted(sink.spans, key=lambda span: (span.trace_id, span.span_id))


@pytest.fixture
def fixed_ids(tmp_path: Path) -> Path:
    """A folder that registers the id generator."""
    info = tmp_path / "fixed_ids-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fixed-ids\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_id_generator]\nfixed = fixed_ids:FixedIds\n")
    return tmp_path


EITHER = Caller(("01", "00"))
NOBODY = Caller((None,))
ALL_KINDS = Caller((None, "01", "00"))


@pytest.mark.parametrize(
    ("sampler", "argument", "caller"),
    [
        ("always_on", "", NOBODY),
        ("traceidratio", "0.1", EITHER),
        ("parentbased_always_on", "", EITHER),
        ("parentbased_traceidratio", "0.1", ALL_KINDS),
    ],
    ids=["always_on", "a tenth", "parents sampled and not", "a tenth of what no parent decides"],
)
def test_the_operational_trace_is_the_one_without_us(
    sampler: str, argument: str, caller: Caller, fixed_ids: Path, fake_posthog: FakePostHog
) -> None:
    """The same spans: ids, parents, kinds, statuses; of their attributes only those are gone that are ours.

    Spans with links have one more, which tells a Collector that those are redacted.
    """
    chosen = {
        "OTEL_PYTHON_ID_GENERATOR": "fixed",
        "OTEL_TRACES_SAMPLER": sampler,
        **({"OTEL_TRACES_SAMPLER_ARG": argument} if argument else {}),
    }
    with ThreadPoolExecutor(2) as pool:
        without, with_us = pool.map(lambda posthog: spans(fixed_ids, caller, posthog, **chosen), (None, fake_posthog))
    assert [shape(span) for span in with_us] == [shape(span) for span in without]
    for mine, theirs in zip(with_us, without, strict=True):
        gone = set(theirs.attributes) - set(mine.attributes)
        assert all(name.startswith(OURS_TO_TAKE) for name in gone), gone
        # A Collector is told that the links of a span have been seen to.
        assert set(mine.attributes) - set(theirs.attributes) <= ({LINKS_MARK} if mine.links else set())
    # The control: there is something to sample, and what is not sampled reaches PostHog all the same.
    roots = {span.trace_id for span in without}
    assert len(roots) == len(VISIT) if sampler == "always_on" else 0 < len(roots) < len(VISIT)
    assert len(fake_posthog.named("ticket_viewed")) == 31
    assert b"analytics." in str([(span.attributes, span.events) for span in without]).encode()
    assert b"analytics." not in str([(span.attributes, span.events) for span in with_us]).encode()


def shape(span: SinkSpan) -> tuple[object, ...]:
    """Return all that must be the same."""
    name = span.name.replace(MAIL, "[email]").replace("ada%40example.com", "[email]")
    events = [name for name, attributes in span.events if not is_product(name, attributes)]
    return (
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        name,
        span.kind,
        span.status_code,
        events,
        len(span.links),
    )


def is_product(name: str, attributes: dict[str, object]) -> bool:
    """Return whether a span event is a product event."""
    return name.startswith("analytics.") or "analytics.event" in attributes
