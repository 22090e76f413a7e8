"""Each kind that the detectors know, in each field of OTLP, through a real Collector; and harmless values.

`docs/collector-parity.md` is made of what arrives: `PARITY_UPDATE=1 pytest tests/collector/test_collector_parity.py`.
With `PARITY_ALL=1` all kinds are tried in all fields, in some four minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from collector import CONFIG, Collector, collector
from harmless_values import harmless_values
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from parity_fields import SIGNALS, TIME_NS, as_product, request
from parity_kinds import found_here, kinds
from parity_known import DAMAGED, FIELDS, PASSING

from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink
from otel_posthog.testing.server import Answer

PAGE = Path(__file__).parents[2] / "docs" / "collector-parity.md"
# In these all kinds are tried, in the others every twentieth, another one in each.
THOROUGH = {"span: a text", "log: a key", "log body: a text", "metric point: in a map", "span: name", "log body: text"}
EVERY = 1 if os.environ.get("PARITY_ALL") == "1" else 20


class _Bytes(OtlpSink):
    """Keeps the last request as it came."""

    last = b""

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.last = body
        return super().answer(path, headers, body)


def steps(file: str, side: str) -> str:
    """Return pipelines that have the filters of a side in a shipped layer, and no sampling, no queues and no broker."""
    pipelines = yaml.safe_load((CONFIG / f"{file}.yaml").read_text("utf-8"))["service"]["pipelines"]
    ours = yaml.safe_load((CONFIG / "privacy.yaml").read_text("utf-8"))["processors"]
    made = {
        "exporters": {"otlp_http/sink": {"endpoint": "${env:SINK}", "sending_queue": {"enabled": False}}},
        "service": {
            "pipelines": {
                signal: {
                    "receivers": ["otlp"],
                    "processors": [each for each in pipelines[f"{signal}/{side}"]["processors"] if each in ours],
                    "exporters": ["otlp_http/sink"],
                }
                for signal in SIGNALS
                if f"{signal}/{side}" in pipelines
            }
        },
    }
    return str(yaml.safe_dump(made))


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the pipelines of the operational side."""
    path = tmp_path_factory.mktemp("parity") / "layer.yaml"
    path.write_text(steps("grafana", "operational"), "utf-8")
    return path


@pytest.fixture(scope="module")
def way(layer: Path) -> Iterator[tuple[Collector, _Bytes]]:
    """Run one Collector with these pipelines."""
    with _Bytes() as sink:
        environ = {"SINK": sink.url, "OTEL_POSTHOG_UUID_KEY": "k" * 32}
        with collector("base", "privacy", layer, environ=environ) as made:
            yield made, sink


def planted(field: str, place: int) -> dict[str, tuple[str, str]]:
    """Return the kinds to be tried in a field: what is planted, and what of it must not arrive."""
    wanted = list(kinds().items()) if field in THOROUGH else list(kinds().items())[place % EVERY :: EVERY]
    is_key = ": a key" in field
    return {name: (secret if is_key and found_here(secret) else text, secret) for name, (text, secret) in wanted}


def arrives(secret: str, raw: bytes) -> bool:
    """Return whether a third of `secret`, and no less than eight characters of it, are in `raw`."""
    size = min(len(secret), max(8, len(secret) // 3))
    return any(secret[at : at + size].encode() in raw for at in range(len(secret) - size + 1))


def leaks(made: Collector, sink: _Bytes, *signals: str, is_product: bool = False) -> Iterator[tuple[str, set[str]]]:
    """Yield each field with the names of the kinds that get through in it."""
    for signal in signals:
        for place, field in enumerate(SIGNALS[signal]):
            tried = planted(field, place)
            sink.last = b""
            sent = request(signal, field, [text for text, _ in tried.values()])
            assert made.post(f"/v1/{signal}", as_product(signal, sent) if is_product else sent) == 200
            assert not is_product or "link" in field or b"mailed" in sink.last or field == "log: event_name"
            yield field, {name for name, (_, secret) in tried.items() if arrives(secret, sink.last)}


@pytest.fixture(scope="module")
def through(way: tuple[Collector, _Bytes]) -> dict[str, set[str]]:
    """Return by field the names of the kinds that get through."""
    found: dict[str, set[str]] = {}
    for field, names in leaks(*way, *SIGNALS):
        found[field] = found.get(field, set()) | names
    return found


@pytest.fixture(scope="module")
def in_kafka(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the same of product events, where they rest."""
    path = tmp_path_factory.mktemp("kafka") / "layer.yaml"
    path.write_text(steps("kafka-out", "product"), "utf-8")
    with _Bytes() as sink, collector("base", "privacy", path, environ={"SINK": sink.url}) as made:
        return dict(leaks(made, sink, "traces", "logs", is_product=True))


@cache
def kept_here() -> frozenset[str]:
    """Return the names of the harmless values that the filters here keep."""
    filters = Filter(Policy().operational_privacy)
    return frozenset(
        name for name, (key, value) in harmless_values().items() if filters.scrub_value(key, value) == value
    )


@pytest.fixture(scope="module")
def damaged(way: tuple[Collector, _Bytes]) -> dict[str, tuple[object, object]]:
    """Return the harmless values that arrive otherwise, with what arrives."""
    made, sink = way
    sent = ExportLogsServiceRequest()
    scope = sent.resource_logs.add().scope_logs.add()
    for key, value in harmless_values().values():
        put(scope.log_records.add().attributes.add(key=key).value, value)
    sink.logs.clear()
    assert made.post("/v1/logs", sent.SerializeToString()) == 200
    arrived = [log.attributes.get(key) for log, (key, _) in zip(sink.logs, harmless_values().values(), strict=True)]
    pairs = zip(harmless_values().items(), arrived, strict=True)
    return {
        name: (value, got)
        for (name, (_, value)), got in pairs
        if name in kept_here() and (got != value or type(got) is not type(value))
    }


PERSONAL: dict[str, object] = {
    # No texts, in which something is found by the key, by the value, or because it cannot be read.
    "app.number": 4539323787276607,
    "app.double": 4539323787276607.0,
    "app.list.of.cards": [4539323787276607, 1],
    "app.list.with.a.card": [1.5, 4539323787276607],
    "app.map.with.a.card": {"number": 4539323787276607},
    "phone": 491701234567,
    "pin": 1234,
    "user_id": 77,
    "user_ids": [1, 2, 3],
    "zip": 10115,
    "latitude": 48.85837,
    "passwords": 3,
    "app.map": {"password": 1234, "seats": 2},
    "app.list": [True, "ada@example.org"],
    "app.deep": [{"to": ["ada@example.org"]}],
    "app.place": [48.85837, 2.29448],
    "app.bytes": b"hello",
    "app.short.bytes": b"jo",
    "app.list.of.bytes": [b"hello"],
    "app.list.with.a.nan": [float("nan")],
}
WITHIN = {"phone", "pin", "zip", "user_id", "user_ids", "latitude"}
"""Those that are known by their key inside a map as well."""


def test_what_is_no_text_stays_as_it_is_or_goes_with_its_key(way: tuple[Collector, _Bytes]) -> None:
    """No number, list, map or bytes in which something is found arrives as a text; what is beside it does."""
    made, sink = way
    sent = ExportLogsServiceRequest()
    scope = sent.resource_logs.add().scope_logs.add()
    for key, value in PERSONAL.items():
        in_attribute, in_body = scope.log_records.add(), scope.log_records.add()
        put(in_attribute.attributes.add(key=key).value, value)
        in_attribute.attributes.add(key="beside").value.string_value = "[ok]"
        put(in_attribute.body, {key: value, "beside": "[ok]"})
        put(in_body.body, {"one": {key: value}} if key in WITHIN else value if "app." in key else {key: value})
    sink.logs.clear()
    assert made.post("/v1/logs", sent.SerializeToString()) == 200
    for (key, value), first, second in zip(PERSONAL.items(), sink.logs[::2], sink.logs[1::2], strict=True):
        assert (first.attributes, first.body) == ({"beside": "[ok]"}, {"beside": "[ok]"}), key
        assert second.body in ([], {}, "", {"seats": 2}), (key, value, second.body)


@pytest.fixture(scope="module")
def known(way: tuple[Collector, _Bytes]) -> tuple[dict[str, list[str]], dict[str, object]]:
    """Return in which fields each kind that is known for it gets through; and what becomes of what is damaged."""
    made, sink = way
    fields: dict[str, list[str]] = {name: [] for name in PASSING}
    for field in FIELDS:
        for name, (text, secret) in PASSING.items():
            assert made.post("/v1/logs", request("logs", field, [text])) == 200
            if secret.encode() in sink.last or secret.replace("\\", "\\\\").encode() in sink.last:
                fields[name].append(field)
    sent = ExportLogsServiceRequest()
    scope = sent.resource_logs.add().scope_logs.add()
    for value in DAMAGED.values():
        put(scope.log_records.add().attributes.add(key="app.value").value, value)
    sink.logs.clear()
    assert made.post("/v1/logs", sent.SerializeToString()) == 200
    return fields, {name: log.attributes.get("app.value", "-") for name, log in zip(DAMAGED, sink.logs, strict=True)}


def put(target: Any, value: object) -> None:
    """Set a value of OTLP."""
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif isinstance(value, list):
        target.array_value.SetInParent()
        for each in value:
            put(target.array_value.values.add(), each)
    else:
        assert isinstance(value, dict)
        target.kvlist_value.SetInParent()
        for key, each in value.items():
            put(target.kvlist_value.values.add(key=key).value, each)


def test_no_kind_gets_through_in_any_field(through: dict[str, set[str]]) -> None:
    """Vendors' keys, cards, national ids, addresses, phones: beside a NaN, in keys, in bytes, in links, in schemas."""
    assert {field: names for field, names in through.items() if names} == {}


def test_no_kind_rests_in_kafka_in_any_field(in_kafka: dict[str, set[str]]) -> None:
    """Of product events: keys and values of properties, names, links, states, schemas, bodies."""
    assert {field: names for field, names in in_kafka.items() if names} == {}


def test_no_type_changes(damaged: dict[str, tuple[object, object]]) -> None:
    """A number is judged as a number; what is damaged is a text, and stays one."""
    assert {name: pair for name, pair in damaged.items() if type(pair[0]) is not type(pair[1])} == {}
    assert {name for name, (value, _) in damaged.items() if not isinstance(value, str)} == set()


def test_few_harmless_values_are_damaged(damaged: dict[str, tuple[object, object]]) -> None:
    """What regular expressions cannot tell from an id or a card, and no more."""
    assert len(damaged) <= 0.05 * len(kept_here())


def test_the_page_says_what_arrives(
    through: dict[str, set[str]],
    in_kafka: dict[str, set[str]],
    damaged: dict[str, tuple[object, object]],
    known: tuple[dict[str, list[str]], dict[str, object]],
) -> None:
    """`docs/collector-parity.md` is made of this very run."""
    text = page(through, set().union(*in_kafka.values()), damaged) + page_of_known(*known)
    if os.environ.get("PARITY_UPDATE") == "1":
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text, "renew it: PARITY_UPDATE=1 pytest tests/collector/test_collector_parity.py"


_HEAD = """\
# What the Collector's filters do, by field and by kind

Made by `PARITY_UPDATE=1 pytest tests/collector/test_collector_parity.py`, which sends all of it through a real
Collector with the shipped layers and the built-in policy, and holds this page to what arrives. It is about the coarse
way of [collector.md](collector.md#privacy): the processors that `otel-posthog collector-config` compiles.

{kinds} kinds, one example of each, made of the detectors' own tables, with check digits that hold: keys of vendors,
cards by issuer, IBANs by country, national ids by rule, phone numbers, addresses, places, secrets and
ids by their names.

## By field

All kinds are tried in the fields in bold, every twentieth in the others, another one in each. "Goes" means that the
value is not looked at: all of it goes.

| field | what is done | kinds that get through |
|---|---|---|
"""
_GOES = {
    "bytes": "goes", "a NaN": "goes", "an infinity": "goes", "span link": "the span goes", "exemplar": "goes",
    "metric metadata": "goes", "description": "goes", "in a list": "a hit: the list goes with its key",
    "in a map": "a hit: the map goes with its key", ": list": "a hit: an empty list is left",
    "schema_url": "other schemas than OpenTelemetry's go", "a key": "keys that are not made of words go",
    "a key in a map": "a hit: the map goes with its key",
    "metric: name": "a metric whose name is not made of words goes", "unit": "what is no unit goes",
}  # fmt: skip


def page(through: dict[str, set[str]], in_kafka: set[str], damaged: dict[str, tuple[object, object]]) -> str:
    """Return the page."""
    lines = [_HEAD.format(kinds=len(kinds())).rstrip("\n")]
    for field in sorted(through):
        done = next((what for part, what in reversed(_GOES.items()) if part in field), "a hit becomes `****`")
        done = (
            "goes" if any(part in field for part in ("bytes", "a NaN", "an infinity", "exemplar", "metadata")) else done
        )
        name = f"**{field}**" if field in THOROUGH else field
        lines.append(f"| {name} | {done} | {', '.join(sorted(through[field])) or '-'} |")
    lines += [
        (
            "| resource: entity_refs | cannot be reached: types of entities, names of attributes, a schema's address |"
            " not looked at; the exact way does |"
        ),
        (
            "| product events in Kafka: each field of theirs | the same; bodies, names and links do not get there |"
            f" {', '.join(sorted(in_kafka)) or '-'} |"
        ),
        "| product events on the way to the gateway | [not filtered there](collector.md#privacy) | all: it filters |",
        "",
        "## Harmless values that are damaged",
        "",
        (
            f"Of {len(kept_here())} values that the filters of the package keep, the Collector changes {len(damaged)}."
            " No type changes, and no number, yes or no, list or map is among them."
        ),
        "",
        "| value | sent | arrives |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | `{value}` | `{got}` |" for name, (value, got) in damaged.items()]
    return "\n".join(lines) + "\n"


_KNOWN = """
Known besides, of values of the same kinds; `-` is one that goes with its key:

| value | sent | arrives |
|---|---|---|
"""
_PASSING = """
## What is known to get through

How a value is written can hide it from a Collector's expressions. The exact way finds most of these. They get through
in these fields of log records; the same is to be expected in all others, and in Kafka.

| what | as | where it gets through |
|---|---|---|
"""


def page_of_known(fields: dict[str, list[str]], arrived: dict[str, object]) -> str:
    """Return the rest of the page."""
    damaged = [f"| {name} | `{DAMAGED[name]}` | `{got}` |" for name, got in arrived.items() if got != DAMAGED[name]]
    passing = [f"| {name} | `{PASSING[name][0]}` | {', '.join(them)} |" for name, them in fields.items() if them]
    return _KNOWN + "\n".join(damaged) + "\n" + _PASSING + "\n".join(passing) + "\n"


@pytest.mark.parametrize("signal_key", ["k" * 32, ""], ids=["with the key", "without"])
def test_series_that_lose_something_stay_apart_or_go_nowhere(signal_key: str, layer: Path) -> None:
    """Three customers of a metric never become one series; numbers stay numbers; the same points have one hash."""
    sent = ExportMetricsServiceRequest()
    metric = sent.resource_metrics.add().scope_metrics.add().metrics.add(name="orders")
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True  # type: ignore[assignment]
    for number, name in ((3, "ada"), (5, "bob"), (7, "eve")):
        point = metric.sum.data_points.add(as_int=number, time_unix_nano=TIME_NS)
        point.attributes.add(key="customer").value.string_value = f"{name}@example.org"
    for number, tenant in ((1, 1234567890), (2, 1234567891)):
        point = metric.sum.data_points.add(as_int=number, time_unix_nano=TIME_NS)
        point.attributes.add(key="tenant.id").value.int_value = tenant
    with OtlpSink() as sink:
        environ = {"SINK": sink.url, "OTEL_POSTHOG_UUID_KEY": signal_key}
        with collector("base", "privacy", layer, environ=environ) as made:
            for _ in range(2):
                assert made.post("/v1/metrics", sent.SerializeToString()) == 200
        first, second = ([(value, attributes) for attributes, value in metric.points] for metric in sink.metrics)
    assert first == second
    assert [attributes for _, attributes in first[-2:]] == [{"tenant.id": 1234567890}, {"tenant.id": 1234567891}]
    customers = first[:-2]
    assert [value for value, _ in customers] == ([3, 5, 7] if signal_key else [])
    assert len({attributes["otel_posthog.series"] for _, attributes in customers}) == len(customers)
    assert all(attributes["customer"] == "****" for _, attributes in customers)
