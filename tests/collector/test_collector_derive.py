"""Derive rules in a real Collector: the same events behind it as where a gateway gets everything, and nothing more."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
import yaml
from collector import Collector, collector
from generated_rules import SECRET, TIME_NS, logs, rule, traces

from otel_posthog.apps.collector_config.derive import told_by_text
from otel_posthog.apps.collector_config.formats import collector_config
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.intake.otlp.protobuf import LOGS, TRACES, read_request
from otel_posthog.intake.otlp.records import OPERATIONAL, Record, RecordUids, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import PROCESSED
from otel_posthog.policy import IdentityMode, Policy
from otel_posthog.policy.checks import problems
from otel_posthog.policy.shipped_rules import GROUPS
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.stages import Stages, clean_events
from otel_posthog.testing.server import Answer, LocalServer

KINDS = {"/v1/traces": TRACES, "/v1/logs": LOGS}
COUNT = 16
DICE = Random("derive through a Collector")
MODES = (IdentityMode.IDENTIFIED, IdentityMode.INSTALLATION)


def generated(number: int) -> Policy:
    """Return a policy of some rules, of which each could stand in a file."""
    rules: list[Any] = []
    while len(rules) < 1 + number % 3:
        made = Policy(derive=(rule(DICE, len(rules)),))
        if not list(problems(made)):
            rules += made.derive
    return Policy(derive=tuple(rules), identity=MODES[number % 2])


# Of a span that is here for an event in it, what a rule excludes it by may not be cut off.
EXCLUDING = """
derive:
  - {name: other, event: other, when: {attributes: {messaging.operation.type: {not_glob: [send]}}}}
  - {name: inside, event: inside, when: {signal: span_event, attributes: {app.user: {present: true}}}}
"""
FIXED = (Policy(derive=GROUPS, identity=MODES[0]), parse_policy(EXCLUDING, source="a test"))
POLICIES = [*FIXED, *(generated(number) for number in range(len(FIXED), COUNT))]
SPANS, RECORDS = traces(DICE, 1200), logs(DICE, 400)
FLAGS: list[dict[str, Any]] = [
    {"result.value": "true", "result.variant": "on", "context.id": "u-7"},
    {"result.value": '"blue"', "result.reason": "static", "version": "7"},
    {"variant": "red", "evaluation.reason": "split", "context.id": "u-8"},
    {"result.variant": "on", "result.reason": "error"},
]


def add_evaluations() -> None:
    """Add evaluations of feature flags to spans and records."""
    spans, records = SPANS.resource_spans.add().scope_spans.add(), RECORDS.resource_logs.add().scope_logs.add()
    for number, told in enumerate(FLAGS):
        span = spans.spans.add(trace_id=DICE.randbytes(16), span_id=DICE.randbytes(8), end_time_unix_nano=TIME_NS)
        name, at_ns = "feature_flag.evaluation", TIME_NS + number
        event = span.events.add(name=name, time_unix_nano=at_ns)
        record = records.log_records.add(event_name=name, time_unix_nano=at_ns)
        record.attributes.add(key="log.record.uid").value.string_value = str(UUID(int=number + 1))
        for item in (event, record):
            for key, value in {"key": "cart", **told}.items():
                item.attributes.add(key=f"feature_flag.{key}").value.string_value = value


add_evaluations()
EVERYTHING = (SPANS, RECORDS)


class Ends(LocalServer):
    """Where all the pipelines end, each at a path of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, list[bytes]] = defaultdict(list)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Keep what came."""
        self.bodies[path].append(body)
        return Answer(200, b"")


def layer(policies: list[Policy], url: str) -> dict[str, Any]:
    """Return a configuration with a pipeline for each policy, which answers when what is kept has arrived."""
    made: dict[str, Any] = {"receivers": {"otlp": {"protocols": {"http": {"endpoint": "${env:OTLP_HTTP_ENDPOINT}"}}}}}
    made |= {"processors": {}, "exporters": {}, "extensions": {"health_check": {"endpoint": "${env:HEALTH_ENDPOINT}"}}}
    pipelines = {}
    for number, policy in enumerate(policies):
        found = yaml.safe_load(collector_config(policy, "a test"))["processors"]
        names = ["filter/product", "filter/product_spans", "transform/product_before"]
        made["processors"] |= {f"{name}_{number}": found[name] for name in names}
        made["exporters"][f"otlp_http/{number}"] = {
            "endpoint": f"{url}/{number}",
            "sending_queue": {"enabled": False},
            "retry_on_failure": {"enabled": False},
            "compression": "none",
        }
        for signal, its in (("traces", names), ("logs", [names[0], names[2]])):
            pipelines[f"{signal}/{number}"] = {
                "receivers": ["otlp"],
                "processors": [f"{name}_{number}" for name in its],
                "exporters": [f"otlp_http/{number}"],
            }
    return {**made, "service": {"extensions": ["health_check"], "pipelines": pipelines}}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, Ends]]:
    """Run a Collector with all the policies."""
    with Ends() as made:
        path = tmp_path_factory.mktemp("derive") / "derive.yaml"
        path.write_text(yaml.safe_dump(layer(POLICIES, made.url)))
        with collector(path) as relay:
            yield relay, made


@pytest.fixture(scope="module")
def behind(ends: tuple[Collector, Ends]) -> dict[str, list[bytes]]:
    """Return what arrives of everything, by path."""
    relay, made = ends
    for path, request in zip(KINDS, EVERYTHING, strict=True):
        assert relay.post(path, request.SerializeToString()) == 200, relay.tree.out[-3000:]
    return {path: list(bodies) for path, bodies in made.bodies.items()}


def events(policy: Policy, path: str, bodies: list[bytes]) -> list[dict[str, Any]]:
    """Return what a gateway makes of `bodies`."""
    health = Health()
    stages = Stages(
        policy, installation_id="i", health=health, guard=Guard(health), pseudonyms=Pseudonyms(),
        destinations=policy.destinations,
    )  # fmt: skip
    # Only what a statement is told by is not there behind a Collector, and said when the configuration is made.
    by_text = told_by_text(policy)
    recogniser, uids = Recogniser(policy), RecordUids(b"k" * 32)
    found = []
    for body in bodies:
        for record in read_request(body, KINDS[path], recogniser):
            for signal in () if record is OPERATIONAL else record_signals(record, recogniser, uids):
                found += [json.loads(each.body) for each in clean_events(stages.outcomes(signal))]
    for each in found:
        for name in by_text.get(each["event"], ()):
            each["properties"].pop(name, None)
    return sorted(found, key=lambda each: (each["uuid"], json.dumps(each, sort_keys=True)))


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("number", range(COUNT))
def test_the_same_events_come_through_a_collector(number: int, path: str, behind: dict[str, list[bytes]]) -> None:
    """Of every rule: names, uuids, users, times and properties, as of everything that was sent."""
    policy = POLICIES[number]
    sent = dict(zip(KINDS, EVERYTHING, strict=True))[path].SerializeToString()
    assert events(policy, path, behind.get(f"/{number}{path}", [])) == events(policy, path, [sent])


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("number", range(COUNT))
def test_nothing_that_is_no_event_crosses(number: int, path: str, behind: dict[str, list[bytes]]) -> None:
    """What arrives is an event, by a mark or by a rule, and brings no text, body, message or key that no rule reads."""
    policy = POLICIES[number]
    unsampled = replace(policy, derive=tuple(replace(each, sample=1.0) for each in policy.derive_rules))
    recogniser = Recogniser(unsampled)
    for body in behind.get(f"/{number}{path}", []):
        assert SECRET.encode() not in body
        for record in read_request(body, KINDS[path], recogniser):
            assert record is not OPERATIONAL
            assert record_signals(record, recogniser) or may_only_be(record, policy), record


def may_only_be(record: Record, policy: Policy) -> bool:
    """Return whether only a gateway can tell of an item whether a rule fits it: by what failed, or by an odd URL."""
    read = {key for each in policy.derive_rules for key in each.when.attributes}
    is_failed = isinstance(record, SpanRecord) and record.status_code == "ERROR" and "error.type" in read
    holders = [record.attributes, *(each.attributes for each in getattr(record, "events", ()))]
    return is_failed or any("http.url" in each for each in holders)


def test_nothing_of_an_app_with_the_package_crosses(ends: tuple[Collector, Ends]) -> None:
    """What bears the mark on its resource goes to no gateway, whether it is marked as an event or a rule fits it."""
    relay, made = ends
    made.bodies.clear()
    spans, records = copy.deepcopy(SPANS), copy.deepcopy(RECORDS)
    for resource in (
        *(each.resource for each in spans.resource_spans),
        *(each.resource for each in records.resource_logs),
    ):
        resource.attributes.add(key=PROCESSED).value.bool_value = True
    for path, request in zip(KINDS, (spans, records), strict=True):
        assert relay.post(path, request.SerializeToString()) == 200
    assert not made.bodies
