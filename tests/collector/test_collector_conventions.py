"""Every attribute of the semantic conventions keeps its key on both ways, but for those that name somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import opentelemetry.semconv
import pytest
from collector import collector
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

WAIT_S = 30
# Whose name begins so is a user: README says that users never get to the operational side.
USERS = ("user.", "enduser.")
GONE = {
    "device.id": "tells one person's device",
    "feature_flag.context.id": "the targeting key is a user's id",
    "mcp.session.id": "a session's id",
    "process.owner": "a user's name",
    "session.id": "a session's id",
    "session.previous_id": "a session's id",
}


def _modules() -> Iterator[ModuleType]:
    root = Path(opentelemetry.semconv.__path__[0])
    for path in sorted(root.rglob("attributes/*.py")):
        if path.stem != "__init__":
            yield import_module(".".join(("opentelemetry.semconv", *path.relative_to(root).with_suffix("").parts)))


@cache
def keys() -> tuple[str, ...]:
    """Return the keys of all attributes, stable and incubating; those of templates with a name put behind."""
    found: dict[str, None] = {}
    for module in _modules():
        for name, key in vars(module).items():
            if name.isupper() and isinstance(key, str):
                found[key + ".x-name" * name.endswith("_TEMPLATE")] = None
    return tuple(found)


def _through_the_package() -> dict[str, object]:
    policy = Policy()
    redactor = Redactor(policy.operational, Filter(policy.operational_privacy), Guard(Health()))
    return {key: value for each in keys() for key, value in redactor.attributes({each: "zq"}).items()}


def _through_the_collector() -> dict[str, object]:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number, key in enumerate(keys()):
        record = scope.log_records.add(time_unix_nano=number + 1)
        record.attributes.add(key=key).value.string_value = "zq"
    at_once = "yaml:exporters::otlp_http/loki::sending_queue::batch::flush_timeout: 50ms"
    with OtlpSink() as sink:
        endpoints = dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), sink.url)
        with collector("base", "privacy", "grafana", at_once, environ=endpoints) as made:
            assert made.post("/v1/logs", request.SerializeToString()) == 200
            assert sink.wait_until(lambda: len(sink.logs) == len(keys()), WAIT_S)
        return {key: value for log in sink.logs for key, value in log.attributes.items()}


@pytest.mark.parametrize("through", [_through_the_package, _through_the_collector], ids=["package", "Collector"])
def test_each_key_of_the_conventions_stays_but_for_those_that_name_somebody(
    through: Callable[[], dict[str, object]],
) -> None:
    """Some 900: what is taken beside these is a value; of these the Collector may leave the key."""
    assert len(keys()) > 800
    arrived = through()
    somebodys = {key for key in keys() if key.startswith(USERS) or key in GONE}
    assert GONE.keys() <= somebodys
    assert set(keys()) - arrived.keys() <= somebodys
    assert "zq" not in {arrived.get(key) for key in somebodys}
