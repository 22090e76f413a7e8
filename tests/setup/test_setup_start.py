"""What a start costs, counted: what is compiled and imported by `import otel_posthog` and `configure()`."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import otel_posthog
from otel_posthog.regex import Compiled, Late, regex

# Of 180 that there are for an app that sends both ways.
MOST_MODULES = 145
# Of 230 that it would be if all were compiled at import.
MOST_COMPILED = 15

FOR_LATER = (
    *("otel_posthog.privacy", "otel_posthog.translate", "otel_posthog.clean", "otel_posthog.plans"),
    *("otel_posthog.stages", "otel_posthog.apps", "otel_posthog.bridge"),
    *("otel_posthog.testing", "yaml", "posthog", "jsonschema", "google.protobuf.json_format", "multiprocessing"),
)

PROGRAM = """
import collections, json, re, sys
# The standard library's, where Python 3.10 has it and where later ones do.
compiler = sys.modules.get("re._compiler") or sys.modules["sre_compile"]
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
before, compiled, real = set(sys.modules), [], compiler.compile
def compile(pattern, flags=0):
    made_by = sys._getframe(1)
    while made_by.f_globals["__name__"] in ("re", "otel_posthog.regex"):
        made_by = made_by.f_back
    compiled.append(made_by.f_globals["__name__"])
    return real(pattern, flags)
compiler.compile = compile
import otel_posthog
otel_posthog.configure(tracer_provider=provider)
ours = [each for each in compiled if each.startswith("otel_posthog")]
print(json.dumps({"compiled": ours, "modules": sorted(set(sys.modules) - before)}))
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a start does in a process of its own."""
    environ = {
        "PATH": os.environ["PATH"],
        "POSTHOG_API_KEY": "phc_start",
        "POSTHOG_HOST": "http://127.0.0.1:9",
        "OTEL_POSTHOG_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "OTEL_POSTHOG_EXIT_TRY_S": "0",
    }
    words = [sys.executable, "-I", "-c", PROGRAM]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True, timeout=120)
    return dict(json.loads(done.stdout))


def test_a_start_compiles_what_application_threads_use_and_no_detector(start: dict[str, Any]) -> None:
    """The detectors' expressions, and most others, are compiled when a text comes that they are for."""
    compiled = start["compiled"]
    assert len(compiled) <= MOST_COMPILED, compiled


def test_a_start_reads_nothing_that_the_first_event_is_early_enough_for(start: dict[str, Any]) -> None:
    """Not the stages, no detector, no YAML, no client: the worker reads them, or an exporter's thread."""
    read = [each for each in start["modules"] if each.startswith(FOR_LATER) or each in FOR_LATER]
    assert read == []
    ours = [each for each in start["modules"] if each.startswith("otel_posthog")]
    assert len(ours) <= MOST_MODULES, ours


def _late(value: object) -> Iterator[Any]:
    # Used by a test before, it is one like every other.
    if isinstance(value, (Compiled, re.Pattern)):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _late(each)
    elif isinstance(value, dict):
        yield from _late(list(value.values()))


def _modules() -> Iterator[ModuleType]:
    for each in pkgutil.walk_packages(otel_posthog.__path__, "otel_posthog."):
        if not each.name.startswith("otel_posthog.apps.demo.helpdesk") and not each.name.endswith("__main__"):
            yield importlib.import_module(each.name)


def test_every_late_expression_is_one() -> None:
    """None has a mistake that would show in a running app only."""
    found = [each for module in _modules() for value in list(vars(module).values()) for each in _late(value)]
    assert len(found) > 150
    for each in found:
        assert callable(each.search)


def test_a_late_expression_is_compiled_by_its_first_use_and_then_as_every_other() -> None:
    """All that the standard library's has is there, before and after."""
    late: Any = regex(r"(?P<name>[a-z]+)-\d", re.IGNORECASE)
    assert type(late) is Late
    with pytest.raises(AttributeError):
        _ = late.__wrapped__
    assert type(late) is Late
    found = late.search("x AB-1")
    assert found is not None
    assert found["name"] == "AB"
    assert type(late) is Compiled
    assert late.sub("-", "ab-1 ab-2") == "- -"
    assert (late.groupindex, late.groups, late.pattern) == ({"name": 1}, 1, r"(?P<name>[a-z]+)-\d")
    with pytest.raises(AttributeError):
        _ = late.other


def test_the_module_that_made_one_has_the_expression_itself_once_it_was_used() -> None:
    """So that a search costs what it costs elsewhere; who holds the late one can go on using it."""
    # Of a module of its own: the test runner looks into the names of this one.
    names: dict[str, Any] = {"regex": regex}
    exec("late = regex('a+')", names)
    late = names["late"]
    assert type(late) is Late
    assert late.search("baa") is not None
    assert type(names["late"]) is re.Pattern
    assert type(late) is Compiled
    assert names["late"].findall("aab") == late.findall("aab") == ["aa"]
