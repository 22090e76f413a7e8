"""The README is true: its example runs, its picture shows what happens; the page of variables names all there are."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from telemetry import Telemetry

from otel_posthog import environment_variables
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import SpanIntake
from otel_posthog.model import Signal
from otel_posthog.operational import detach
from otel_posthog.policy import IdentityMode
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.translate import translate

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
PICTURE = (ROOT / "docs" / "images" / "flow.svg").read_text(encoding="utf-8")


def block(language: str, page: str = README) -> str:
    """Return a page's one code block of `language`."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


def test_the_example_does_what_the_readme_says() -> None:
    """PostHog gets `ticket_created` with `priority`; the span goes on without any `analytics.*`."""
    signals: list[Signal] = []
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    intake = SpanIntake(signals.append, detach, Guard(Health()), flush=lambda _: True, close=lambda: None)
    provider.add_span_processor(intake)
    names = {
        "create": lambda _: SimpleNamespace(priority="high"),
        "form": None,
        "user": SimpleNamespace(id="u1"),
        "tracer": provider.get_tracer("readme"),
    }
    example = block("python").replace("tracer = trace.get_tracer(__name__)", "")
    exec(example, names)
    (event,) = translate(signals[0], lambda _: None)
    assert (event.name, event.properties, event.subject.user_id) == ("ticket_created", {"priority": "high"}, "u1")
    (span,) = exporter.get_finished_spans()
    assert (span.name, dict(span.attributes or {})) == ("create ticket", {})
    provider.shutdown()


def test_the_picture_shows_what_happens() -> None:
    """Its span, made for real, leaves on each side as the picture says; the names in it are those of the span."""
    said = {
        "analytics.event": "ticket_created",
        "analytics.user.id": "user-817",
        "analytics.property.priority": "high",
        "analytics.property.customer_email": "ada@example.org",
        "analytics.property.note": "call ada@example.org",
        "http.route": "/tickets",
    }
    with Telemetry(IdentityMode.INSTALLATION) as app:
        app.tracer.start_span("create ticket", attributes=said).end()
        (event,), (span,) = app.events, app.spans.get_finished_spans()
    kept = {key: value for key, value in event["properties"].items() if key in {"priority", "note", "customer_email"}}
    assert (event["event"], kept) == ("ticket_created", {"priority": "high", "note": "call [email]"})
    assert event["distinct_id"] != "user-817"
    assert (span.name, dict(span.attributes or {})) == ("create ticket", {"http.route": "/tickets"})
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", PICTURE)
    assert set(said) <= set(texts)
    assert {f'"{value}"' for value in said.values()} <= set(texts)
    assert {"ticket_created", '"call [email]"', 'span "create ticket"', "no analytics.*, no user"} <= set(texts)


def test_the_picture_can_be_read_in_light_and_dark() -> None:
    """It brings its own ground, and every colour has another for the dark; nothing in it is asked of another host."""
    light, dark = PICTURE.split("@media (prefers-color-scheme: dark)")
    colours = set(re.findall(r"\.(\w+) \{ (?:fill|stroke): #", light))
    assert colours
    assert colours - set(re.findall(r"\.(\w+) \{ (?:fill|stroke): #", dark)) == set()
    assert PICTURE.index('class="panel"') < PICTURE.index("<text")
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", PICTURE) == []


def test_each_picture_is_shown_once() -> None:
    """The flow, and an event in the inspector."""
    shown = re.findall(r"docs/images/[\w.-]+", README)
    assert len(shown) == len(set(shown))
    assert {"docs/images/flow.svg", "docs/images/inspector-event.png"} <= set(shown)


def test_the_policy_of_the_documents_is_read() -> None:
    """Every line of it means something."""
    policy = parse_policy(block("yaml", CONFIGURATION), source="configuration.md")
    assert policy.collection.off_switches == ("ALGA_USAGE_STATS",)
    assert policy.destinations[0].host == "https://eu.i.posthog.com"


def test_every_variable_is_in_the_documents() -> None:
    """What the one file of environment variables lists, a reader finds."""
    names = [value for name, value in vars(environment_variables).items() if name.isupper()]
    assert len(names) > 8
    assert [name for name in names if name not in CONFIGURATION] == []


def test_the_readme_is_short() -> None:
    """Under 150 lines."""
    assert len(README.splitlines()) < 150
