"""What an event says of its trace is ours to say: a property of an app's by such a name gives way, wherever it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import posthog as posthog_python
import pytest
from bridged import PERMISSIVE, with_the_bridge
from events import ring
from gateway import JSON, PROTOBUF, as_json, gateway, logs_request, spans_request
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind
from telemetry import Telemetry

from otel_posthog import capture
from otel_posthog.apps import cli
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.model import Signal, Source
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    Destination,
    EventSpec,
    IdentityMode,
    Policy,
    PrivacyPolicy,
    PropertySpec,
)
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.sections.derive import DeriveConditions, DeriveKind, DeriveRule
from otel_posthog.stages import Stages
from otel_posthog.testing import FakePostHog

NAMES = ("$trace_id", "$span_id", "trace_sampled", "trace_url")
LIE = "http://evil.example/?u=alice"
LIES: dict[str, Any] = {**dict.fromkeys(NAMES, LIE), "note": "stays"}
LINK = "https://traces.example/{trace_id}"
RULE = DeriveRule(
    name="seen",
    event="derived",
    when=DeriveConditions(kind=(DeriveKind.CLIENT,)),
    properties=FrozenMap({**dict.fromkeys(NAMES, "lie"), "note": "said"}),
)
TIME_NS = 1_790_000_000 * 10**9
MODES = pytest.mark.parametrize("mode", list(IdentityMode))


def own(prefix: str = "analytics.property.") -> dict[str, Any]:
    """Return the lies as attributes."""
    return {f"{prefix}{name}": value for name, value in LIES.items()}


def honest(properties: Mapping[str, Any], *, is_linked: bool, is_sampled: bool, has_url: bool = True) -> bool:
    """Return whether `properties` say of a trace what we say, all of it, and nothing else."""
    names = set()
    if is_linked:
        names = {*NAMES[:3], *(NAMES[3:] if is_sampled and has_url else ())}
    said = {name: properties[name] for name in NAMES if name in properties}
    return (
        set(said) == names
        and LIE not in str(properties)
        and said.get("trace_sampled", is_sampled) is is_sampled
        and said.get("trace_url", LINK).startswith("https://traces.example/")
    )


def emit_log(telemetry: Telemetry) -> None:
    """Emit a log record."""
    telemetry.logger.emit(event_name="analytics.e", attributes=own(), timestamp=TIME_NS)


def emit_short(telemetry: Telemetry) -> None:
    """Emit a log record with the short form of the attributes."""
    telemetry.logger.emit(event_name="analytics.e", attributes=own("analytics."), timestamp=TIME_NS)


def emit_capture(_: Telemetry) -> None:
    """Capture texts, and nested values of a user."""
    capture("e", LIES)
    capture("e", {key: {"deep": [LIE]} for key in NAMES}, distinct_id="u-1")


def emit_span(telemetry: Telemetry, **attributes: Any) -> None:
    """Make a product span."""
    telemetry.tracer.start_span("span", attributes={"analytics.event": "e", **own(), **attributes}).end()


def emit_span_event(telemetry: Telemetry) -> None:
    """Make a product span event."""
    with telemetry.tracer.start_as_current_span("around") as span:
        span.add_event("analytics.e", own())


def emit_derived(telemetry: Telemetry) -> None:
    """Make a span of which a rule makes an event; what it has is telemetry."""
    telemetry.tracer.start_span("op", kind=SpanKind.CLIENT, attributes={**LIES, "lie": LIE, "said": "stays"}).end()


INSIDE: tuple[Callable[[Telemetry], None], ...] = (
    emit_log, emit_short, emit_capture, emit_span, emit_span_event, emit_derived,
)  # fmt: skip


@MODES
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
@pytest.mark.parametrize("has_url", [True, False])
def test_a_name_of_ours_gives_way(mode: IdentityMode, sampler: Any, has_url: bool, monkeypatch: Any) -> None:
    """From each source, in a trace and outside of one, sampled or not, in each mode, with a link or without one."""
    privacy = PrivacyPolicy(allow=PrivacyPolicy().allow | {*NAMES})
    policy = {"derive": (RULE,), "privacy": privacy, "trace_url": LINK if has_url else None}
    made, is_linked = Pseudonyms(keys=ring()), mode is not IdentityMode.UNLINKED
    with Telemetry(mode, sampler=AnalyticsSampler(sampler), pseudonyms=made, **policy) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        with telemetry.tracer.start_as_current_span("request"):
            for emit in INSIDE:
                emit(telemetry)
        inside = len(telemetry.events)
        assert inside == len(INSIDE) + 1
        for emit in INSIDE[:3]:
            emit(telemetry)
    check = partial(honest, is_sampled=sampler is ALWAYS_ON, has_url=has_url)
    for number, event in enumerate(telemetry.events):
        assert check(event["properties"], is_linked=is_linked and number < inside), event
    assert len([each for each in telemetry.events if each["properties"].get("note") == "stays"]) == 9
    assert telemetry.health.actions()["trace_name", "removed"] >= len(telemetry.events) * len(NAMES)


def stages(policy: Policy) -> Stages:
    """Return the stages under `policy`."""
    health = Health()
    made = Pseudonyms(keys=ring())
    return Stages(
        policy, installation_id="i-1", health=health, guard=Guard(health), pseudonyms=made, limits=Limits(policy)
    )


@MODES
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [LIE, 5, True, (LIE, "b"), {"u": LIE}, None])
def test_by_plan_as_the_plain_way(mode: IdentityMode, name: str, value: Any) -> None:
    """The same bytes for each kind of value, as a property, as an attribute and as one of the resource."""
    spec = Catalog(
        mode=CatalogMode.ENFORCE,
        events=FrozenMap({"declared": EventSpec(properties=FrozenMap({name: PropertySpec(), "note": PropertySpec()}))}),
        properties=FrozenMap({name: PropertySpec()}),
    )
    for catalog, event in ((Catalog(), "e"), (spec, "declared")):
        policy = Policy(
            destinations=(Destination(api_key="phc_a"), Destination("b", "phc_b", identity=mode)),
            privacy=PrivacyPolicy(allow=PrivacyPolicy().allow | {name}),
            catalog=catalog,
            trace_url=LINK,
        )
        planned, plain = stages(policy), stages(policy)
        for number, layers in enumerate([({f"analytics.property.{name}": value}, {}), ({name: value}, {name: value})]):
            for trace_id, is_sampled in ((0, False), (7, False), (7, True)):
                attributes = {"analytics.property.note": "text", **layers[0]}
                signal = Signal(Source.LOG, event, attributes, TIME_NS + number, trace_id, trace_id, layers[1])
                signal = signal._replace(is_sampled=is_sampled)
                for _ in range(3):
                    outcomes = plain.outcomes(signal)
                    assert planned.cleaned(signal)[0] == [each.clean for each in outcomes]
                for each, of in zip(outcomes, (policy.identity, mode), strict=True):
                    assert each.clean is not None
                    said = json.loads(each.clean.body)["properties"]
                    linked = bool(trace_id) and of is not IdentityMode.UNLINKED
                    assert honest(said, is_linked=linked, is_sampled=is_sampled), said


def test_at_the_gateway(tmp_path: Path) -> None:
    """Of log records and spans, in protobuf and in JSON; and outside of a trace."""
    (tmp_path / "policy.yaml").write_text(
        f"trace_url: '{LINK}'\nidentity: installation\ndelivery: {{flush_interval_s: 0.05}}\n"
    )
    with (
        FakePostHog() as posthog,
        gateway("--policy", str(tmp_path / "policy.yaml"), posthog=posthog.url, directory=tmp_path) as made,
    ):
        for media_type in (PROTOBUF, JSON):
            logs = logs_request("alone", "unsampled", "sampled", **{k.replace(".", "__"): v for k, v in own().items()})
            for number, record in enumerate(logs.resource_logs[0].scope_logs[0].log_records):
                if number:
                    record.trace_id, record.span_id, record.flags = b"t" * 16, b"s" * 8, number - 1
            spans = spans_request("span")
            for span in spans.resource_spans[0].scope_spans[0].spans:
                for key, value in own().items():
                    span.attributes.add(key=key).value.string_value = value
            for path, request in (("/v1/logs", logs), ("/v1/traces", spans)):
                body: Any = json.dumps(as_json(request)).encode() if media_type == JSON else request.SerializeToString()
                assert made.post(path, body, media_type)[0] == 200
        # An item is the same event whichever encoding it came in.
        posthog.wait_until(lambda: len(posthog.events) == 8, 20)
    for event in posthog.events:
        is_linked, is_sampled = event.event != "alone", event.event in {"sampled", "span"}
        assert honest(event.properties, is_linked=is_linked, is_sampled=is_sampled), event
        assert event.properties["note"] == "stays"


def test_through_the_bridge() -> None:
    """What an app says to posthog-python, which itself would let it stand."""
    (event,) = with_the_bridge(lambda: posthog_python.capture("paid", distinct_id="u-1", properties=LIES))
    assert PERMISSIVE.identity is IdentityMode.IDENTIFIED
    assert honest(event.properties, is_linked=False, is_sampled=False)
    assert event.properties["note"] == "stays"


def test_it_is_in_the_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`explain` shows each, and why, and says it in JSON."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"event": "e", "timestamp": "2026-01-02T03:04:05Z", "properties": LIES}))
    assert cli.main(["explain", "--json", str(path)]) == 0
    item = json.loads(capsys.readouterr().out.splitlines()[0])
    changes = item["events"][0]["destinations"][0]["changes"]
    assert {each["key"] for each in changes if (each["rule"], each["action"]) == ("trace_name", "removed")} == {*NAMES}
    assert cli.main(["explain", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("removed   named like what an event says of its trace") == len(NAMES), shown
