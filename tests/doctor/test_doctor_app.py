"""`otel-posthog doctor --app MODULE`: an app imported in a process of its own, and what it does to the providers."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import Found, doctor, healthy

from otel_posthog.testing import FakePostHog, OtlpSink

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
DJANGO = """\
from django.core.wsgi import get_wsgi_application
app = get_wsgi_application()
"""
BY_HAND = """\
from opentelemetry import trace, _logs
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk._logs import LoggerProvider
trace.set_tracer_provider(TracerProvider())
_logs.set_logger_provider(LoggerProvider())
import otel_posthog
otel_posthog.configure()
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of an app in which nothing is wrong."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch, POSTHOG_HOST="http://127.0.0.1:9", DJANGO_SETTINGS_MODULE="shop.settings")
    return tmp_path / "app"


def imported(folder: Path, code: str, *words: str, timeout_s: float = 40.0) -> Found:
    """Have an app of that code imported."""
    (folder / "shop").mkdir(exist_ok=True)
    (folder / "shop" / "site.py").write_text(code, encoding="utf-8")
    (folder / "shop" / "settings.py").write_text("SECRET_KEY = 'x'\nMIDDLEWARE = []\n", encoding="utf-8")
    return doctor("--app", "shop.site", "--timeout", str(timeout_s), *words)


@pytest.mark.parametrize(
    ("code", "words"), [(FLASK, ()), (FASTAPI, ()), (DJANGO, ()), (BY_HAND, ("--plain",))],
    ids=["flask", "fastapi", "django", "by hand"],
)  # fmt: skip
def test_a_healthy_app_is_no_complaint(code: str, words: tuple[str, ...], folder: Path) -> None:
    """With each framework, and with providers that it makes itself."""
    found = imported(folder, code, *words)
    assert (found.status, found.complaints) == (0, [])
    assert "app_ready" in found.ids


def test_nothing_leaves_when_an_app_is_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to PostHog nor over OTLP, not even what its import emits and flushes; and no event is kept."""
    with FakePostHog() as posthog, OtlpSink() as sink:
        healthy(
            monkeypatch, POSTHOG_HOST=posthog.url, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        )  # fmt: skip
        found = imported(folder, EMITS)
        assert found.complaints == []
        assert (posthog.requests, sink.requests) == ([], [])
    assert list(folder.parent.rglob("*.seg")) == []


EMITS = """\
from opentelemetry import trace
import otel_posthog
with trace.get_tracer("shop").start_as_current_span("POST /tickets", attributes={"analytics.event": "ticket_created"}):
    otel_posthog.capture("ticket_seen")
trace.get_tracer_provider().force_flush()
otel_posthog.flush(10)
print("imported")
"""
REPLACES = """\
from opentelemetry import trace
from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor
trace.get_tracer_provider()._active_span_processor = SynchronousMultiSpanProcessor()
"""
FOREIGN = """\
from opentelemetry import trace
class Other(trace.TracerProvider):
    def get_tracer(self, *_, **__): return trace.NoOpTracer()
trace.set_tracer_provider(Other())
"""
BESIDE = """\
from opentelemetry import trace
from posthog.ai.otel import PostHogSpanProcessor
trace.get_tracer_provider().add_span_processor(PostHogSpanProcessor(api_key="phc_x", host="http://127.0.0.1:9"))
"""
IDLE = """\
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_posthog import PostHogSpanExporter
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(PostHogSpanExporter()))
"""
UNWRAPPED = """\
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
class Own(SpanProcessor):
    def on_end(self, span): pass
trace.get_tracer_provider().add_span_processor(Own())
"""
NO_LOGS = BY_HAND.replace("_logs.set_logger_provider(LoggerProvider())\n", "")
CASES = {
    "provider_drops_processors": (REPLACES, (), "configure() after"),
    "provider_foreign": (
        FOREIGN + BY_HAND.replace("trace.set_tracer_provider(TracerProvider())\n", ""),
        ("--plain",),
        "capture()",
    ),
    "provider_missing": (NO_LOGS, ("--plain",), "set_logger_provider"),
    "app_not_attached": (FLASK, ("--plain",), "opentelemetry-instrument"),
    "posthog_processor_beside": (BY_HAND + BESIDE, ("--plain",), "one of the two"),
    "posthog_exporter_idle": (BY_HAND + IDLE, ("--plain",), "take `posthog` out"),
    "app_warns": (BY_HAND + UNWRAPPED, ("--plain",), "see to what it says"),
    "app_not_imported": ("import nowhere_to_be_found\n", ("--plain",), "virtual environment"),
    "app_does_not_start": ("import os\nprint('no', flush=True)\nos._exit(3)\n", ("--plain",), "that error first"),
}


def test_what_this_package_says_at_a_start_is_no_error_of_the_apps(folder: Path) -> None:
    """An app that is set up, and ends by itself."""
    found = imported(folder, BY_HAND + "import os\nos._exit(3)\n", "--plain")
    assert found["app_does_not_start"]["says"].endswith("ends with status 3: (nothing is said)")


@pytest.mark.parametrize("kind", CASES)
def test_what_an_import_does_is_found(kind: str, folder: Path) -> None:
    """To providers and processors, or to itself."""
    code, words, fix = CASES[kind]
    found = imported(folder, code, *words)
    expected = {kind, "posthog_python_beside"} if kind == "posthog_processor_beside" else {kind}
    assert kind in found.complaints
    assert set(found.complaints) - {"app_warns"} <= expected
    assert fix in found[kind]["fix"]


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('secret')", "raise SystemExit(0)", "import no.such.module", "def"]
)
def test_an_import_that_fails_is_told_by_its_type(code: str, folder: Path) -> None:
    """Never by its message, which may have a value in it."""
    found = imported(folder, code + "\n", "--plain")
    assert found.complaints == ["app_not_imported"]
    assert "secret" not in str(found.findings)


def test_an_import_that_does_not_end_is_told(folder: Path) -> None:
    """After the time that it is given: a module that serves."""
    found = imported(folder, "import time\ntime.sleep(60)\n", "--plain", timeout_s=1)
    assert found.complaints == ["app_hangs"]
    assert "--timeout" in found["app_hangs"]["fix"]
