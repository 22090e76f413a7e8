"""What the instrumentors of frameworks have in common: they import no framework, raise nothing, and can be disabled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.actor import request
from otel_posthog.errors import Guard
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook

HOOKED = """
import sys
from importlib.metadata import entry_points
for each in entry_points(group="opentelemetry_instrumentor"):
    if each.name in {"posthog_flask", "posthog_django"}:
        each.load()().instrument()
before = sorted({"flask", "django", "flask_login", "asgiref"} & {*sys.modules})
import json, flask, flask_login
import django.core.handlers.base as base
from django.contrib.auth import signals
print(json.dumps([before, len(flask.request_started.receivers), len(flask_login.user_logged_in.receivers),
                  hasattr(base.BaseHandler.load_middleware, "__wrapped__"), len(signals.user_logged_in.receivers)]))
"""
ALL, NONE = [[], 1, 1, True, 1], [[], 0, 0, False, 0]


@pytest.mark.parametrize(
    ("disabled", "expected"),
    [
        ("", ALL),
        ("flask,django", ALL),
        ("posthog_flask", [[], 0, 0, True, 1]),
        ("other, posthog_django", [[], 1, 1, False, 0]),
        ("posthog", NONE),
    ],
)
def test_frameworks_are_hooked_into_once_they_are_imported_unless_that_is_disabled(
    disabled: str, expected: list[object]
) -> None:
    """None is imported to find out; `posthog` disables all of them, whoever calls them."""
    done = subprocess.run(
        [sys.executable, "-c", HOOKED],
        env={**os.environ, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize(("word", "expected"), [("false", NONE), ("preview", ALL)])
def test_where_set_up_came_first_and_nothing_is_collected_no_framework_is_hooked_into(
    word: str, expected: list[object], tmp_path: Path
) -> None:
    """A hook would cost each request of a program that has switched us off, and nobody asks who acts."""
    done = subprocess.run(
        [sys.executable, "-c", "import otel_posthog; otel_posthog.auto_configure()" + HOOKED],
        env={**os.environ, "OTEL_POSTHOG_ENABLED": word, "OTEL_POSTHOG_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == expected


def test_an_instrumentor_that_fails_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stop all that come after it: not as it is called, as its framework is imported, nor as it is undone."""
    monkeypatch.setattr(Guard, "reraise", False)
    counted = list[str]()
    monkeypatch.setattr(
        request, "_requests", request.Requests(caught=lambda place, error: counted.append(type(error).__name__))
    )

    class Broken(FrameworkInstrumentor):
        name = "posthog_broken"

        def hooks(self) -> Mapping[str, Hook]:
            def fail(_: Any) -> None:
                raise MemoryError("with a secret in it")

            return {"json": fail, "wave": fail}

        def unhook(self) -> None:
            raise ValueError("with a secret in it")

    Broken().instrument()
    import wave  # noqa: F401, PLC0415 - it is imported here first

    Broken().uninstrument()
    assert counted[0] == "MemoryError"
    assert counted[-1] == "ValueError"
