"""The bridge in processes of their own: forks, the end, a framework with posthog-python's own integration."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from textwrap import indent

import pytest
from bridged import KEY, SESSION, told

from otel_posthog.testing import FakePostHog

WITH_THE_BRIDGE = """
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
set_logger_provider(LoggerProvider())
import otel_posthog
from otel_posthog_instrumentation.posthog_python import PostHogPythonInstrumentor
otel_posthog.configure()
PostHogPythonInstrumentor().instrument(bridge=True)
"""

FORKED = f"""
import os, sys
import posthog
{WITH_THE_BRIDGE}
posthog.project_api_key = posthog.api_key = "phc_test"
posthog.host = os.environ["PAST"]
posthog.capture("parent", distinct_id="u1")
child = os.fork()
if child == 0:
    posthog.capture("child", distinct_id="u1")
    posthog.flush()
    sys.exit(0)
os.waitpid(child, 0)
posthog.capture("after", distinct_id="u1")
posthog.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_goes_on(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the child and in the parent, each event once, none past the filters."""
    with FakePostHog() as past:
        for name, value in {
            "POSTHOG_API_KEY": KEY,
            "POSTHOG_HOST": fake_posthog.url,
            "OTEL_POSTHOG_IDENTITY": "identified",
            "PAST": past.url,
        }.items():
            monkeypatch.setenv(name, value)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert past.requests == []
    assert sorted(each.event for each in fake_posthog.events) == ["after", "child", "parent"]
    assert fake_posthog.duplicates == 0


ENDS = f"""
import os, time
import posthog
{WITH_THE_BRIDGE}
client = posthog.Posthog("phc_test", host=os.environ["POSTHOG_HOST"], flush_interval=0.05)
client.capture("paid", distinct_id="u1")
print(time.time())
"""


def test_the_end_of_the_process_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """While PostHog is away it takes as long as this package's own exit, and posthog-python's adds nothing to it."""
    with FakePostHog() as away:
        monkeypatch.setenv("POSTHOG_HOST", away.url)
    monkeypatch.setenv("POSTHOG_API_KEY", KEY)
    monkeypatch.setenv("OTEL_POSTHOG_EXIT_TRY_S", "0")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ENDS], capture_output=True, text=True, check=True, timeout=60
    )
    assert time.time() - float(done.stdout.split()[-1]) < 3.5


IN_DJANGO = f"""
import os, sys
from datetime import datetime, timezone
import django
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of-a-test", USE_TZ=True,
    MIDDLEWARE=["posthog.integrations.django.PosthogContextMiddleware"])
django.setup()
import posthog
from django.http import HttpResponse
from django.test import Client
from django.urls import path
if sys.argv[1] == "bridge":
{indent(WITH_THE_BRIDGE, "    ")}
at = datetime(2026, 1, 2, tzinfo=timezone.utc)
def paid(request):
    posthog.capture("paid", uuid="00000000-0000-0000-0000-000000000007", timestamp=at)
    return HttpResponse("")
def fails(request):
    raise LookupError("jo@example.org")
urlpatterns = [path("paid", paid), path("fails", fails)]
posthog.api_key = posthog.project_api_key = "phc_test"
posthog.host = os.environ["APP_HOST"]
headers = {{"HTTP_X_POSTHOG_DISTINCT_ID": "u1", "HTTP_X_POSTHOG_SESSION_ID": os.environ["SESSION"]}}
client = Client(raise_request_exception=False, **headers)
client.get("/paid")
client.get("/fails")
posthog.shutdown()
"""


def test_its_integration_of_django_goes_on(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, session and tags that its middleware takes from a request, and the exception that it captures."""
    pytest.importorskip("django")

    def run(host: str, how: str) -> None:
        monkeypatch.setenv("APP_HOST", host)
        command = [sys.executable, "-W", "ignore", "-c", IN_DJANGO, how]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    for name, value in {
        "POSTHOG_API_KEY": KEY,
        "POSTHOG_HOST": fake_posthog.url,
        "OTEL_POSTHOG_IDENTITY": "identified",
        "SESSION": SESSION,
        "PYTHONHASHSEED": "0",  # tags are a set
    }.items():
        monkeypatch.setenv(name, value)
    with FakePostHog() as plain, FakePostHog() as past:
        run(plain.url, "plain")
        run(past.url, "bridge")
        assert past.requests == []
    (theirs,), (ours,) = plain.named("paid"), fake_posthog.named("paid")
    # What telemetry adds has dots in its names.
    kept = {key: value for key, value in told(ours)["properties"].items() if "." not in key}
    assert {**told(ours), "properties": kept} == told(theirs)
    assert len(plain.named("$exception")) == len(fake_posthog.named("$exception")) == 1
    assert "jo@example.org" not in str(fake_posthog.events)
