"""The README is true: its example runs, its policy is read, its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_posthog import environment_variables
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import SpanIntake
from otel_posthog.model import Signal
from otel_posthog.operational import detach
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.translate import translate

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the README's one code block of `language`."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
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


def test_the_policy_of_the_readme_is_read() -> None:
    """Every line of it means something."""
    policy = parse_policy(block("yaml"), source="README.md")
    assert policy.collection.off_switches == ("ALGA_USAGE_STATS",)
    assert policy.destinations[0].host == "https://eu.i.posthog.com"


def test_every_variable_is_in_the_readme() -> None:
    """What the one file of environment variables lists, a reader finds."""
    names = [value for name, value in vars(environment_variables).items() if name.isupper()]
    assert len(names) > 8
    assert [name for name in names if name not in README] == []


def test_the_readme_is_short() -> None:
    """Under 200 lines."""
    assert len(README.splitlines()) < 200
