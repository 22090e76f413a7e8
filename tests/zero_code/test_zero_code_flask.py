"""What the documents tell a Flask developer: a request's span is an event where its instrumentation is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from instrumented import instrumented

from otel_posthog.testing import FakePostHog, OtlpSink

DOCUMENTS = Path(__file__).parents[2]
# As `docs/setup.md` shows it, called once.
APP = """
from flask import Flask
import otel_posthog
app = Flask("shop")
{example}
    otel_posthog.capture("captured")
    return ""
app.test_client().post("/tickets")
"""


def example() -> str:
    """Return the code that the documents show."""
    (found,) = (DOCUMENTS / "docs" / "setup.md").read_text(encoding="utf-8").split("```python\n")[1:2]
    return found.partition("```")[0]


@pytest.mark.parametrize("is_there", [True, False], ids=["instrumented", "not instrumented"])
def test_the_flask_example_of_the_documents_is_an_event(
    tmp_path: Path, fake_posthog: FakePostHog, otlp_sink: OtlpSink, *, is_there: bool
) -> None:
    """With the instrumentation that opentelemetry-bootstrap installs; without it `capture()` alone is."""
    program = tmp_path / "app.py"
    program.write_text(APP.format(example=example()))
    left_out = {} if is_there else {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask"}
    run = instrumented(str(program), otlp=otlp_sink.url, posthog=fake_posthog.url, **left_out)
    assert run.returncode == 0, run.out
    names = {each.event for each in fake_posthog.unique_events}
    assert names == ({"ticket_created", "captured"} if is_there else {"captured"})


@pytest.mark.parametrize("name", ["README.md", "docs/setup.md"])
def test_the_documents_name_what_a_flask_developer_needs(name: str) -> None:
    """Which command installs instrumentations, whose span a request has, how to install from a checkout."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    for needed in ("opentelemetry-bootstrap -a install", "trace.get_current_span()", "CHECKOUT[auto]"):
        assert needed in text
