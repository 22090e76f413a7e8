"""A policy in, the processors of both sides out: as a Collector's YAML, or as all of a Grafana Alloy's configuration.

The same policy makes the same text, to the byte. In Alloy each component names the next one, so that the pipelines are
written with the processors: https://grafana.com/docs/alloy/latest/reference/components/otelcol/. `redaction` is
experimental there, so that Alloy has to be started with `--stability.level=experimental`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import yaml

from otel_posthog.apps.collector_config.operational import KEY, SERIES, operational_processors
from otel_posthog.apps.collector_config.product import kafka_processors, product_processors
from otel_posthog.environment_variables import UUID_KEY
from otel_posthog.policy import HitMethod, Policy

_WIDTH = 116

_COLLECTOR_HEADER = """\
# The policy of otel-posthog as processors of the OpenTelemetry Collector: {source}.
# Made by `otel-posthog collector-config` {version}; make it anew where the policy changes, and change nothing here.
#
# It defines processors and no pipeline. Use it with a file that has them:
#   otelcol --config base.yaml --config privacy.yaml --config grafana.yaml --config posthog.yaml --config both.yaml
# and let each pipeline have them in this order:
#   operational  {operational}
#   product      {product}
#   Kafka        behind those of product: {kafka}
#
# Every step fails closed: what a step fails on goes nowhere (`error_mode: propagate`).
# What the Collector cannot do as the filters of the package do:
{differences}
"""
_ALLOY_HEADER = """\
// The policy of otel-posthog for Grafana Alloy: {source}. Made by `otel-posthog collector-config --format alloy`.
//
//   alloy run --stability.level=experimental config.alloy
//
// OTLP comes in and goes both ways: operational telemetry, redacted, to Tempo, Prometheus or Mimir, and Loki; product
// events, allow-listed, to `otel-posthog gateway`, **which filters them: up to there their values are as the app wrote
// them**, since what a regular expression does to a text the gateway cannot take back.
//
// Span metrics and tail sampling are not in it: put them between the last step of the operational side and its
// exporter; and, where apps send deltas, which Prometheus refuses with all that is beside them, put
// `otelcol.processor.deltatocumulative` before the exporter of metrics. Alloy itself was not run: only the Collector's
// layers were.
"""

_SIGNALS = ("metrics", "logs", "traces")
_EXPORTERS = {
    "tempo": ("TEMPO_ENDPOINT", "http://tempo:4318"),
    "prometheus": ("PROMETHEUS_ENDPOINT", "http://prometheus:9090/api/v1/otlp"),
    "loki": ("LOKI_ENDPOINT", "http://loki:3100/otlp"),
    "gateway": ("OTEL_POSTHOG_GATEWAY_ENDPOINT", "http://127.0.0.1:14318"),
}
_OPERATIONAL_ENDS = {"metrics": "prometheus", "logs": "loki", "traces": "tempo"}
_PRODUCT_ENDS = {"logs": "gateway", "traces": "gateway"}
_STATEMENTS = ("trace_statements", "metric_statements", "log_statements")


def collector_config(policy: Policy, source: str) -> str:
    """Return the configuration of the processors, for a Collector.

    Args:
        policy: What may go where.
        source: What the header is to call it (`policy.yaml`, `the built-in policy`).
    """
    sides = operational_processors(policy), product_processors(policy), kafka_processors(policy)
    head = _COLLECTOR_HEADER.format(
        source=source,
        version=version("otel-posthog"),
        operational=", ".join(sides[0]),
        product=", ".join(sides[1]),
        kafka=", ".join(sides[2]),
        differences="\n".join("#   - " + each.replace("\n", "\n#     ") for each in _differences(policy)),
    )
    return head + "\n" + _written({"processors": {**sides[0], **sides[1], **sides[2]}})


def _differences(policy: Policy) -> list[str]:
    """Return what is done otherwise, one difference each."""
    lines = [
        (
            "Regular expressions know no checksums and no words around: more is taken. Hits are replaced by ****.\n"
            "What is damaged, and what gets through, is in docs/collector-parity.md, by name."
        ),
        "Numbers, lists and maps in which anything is found go with their keys, and bytes always: no type changes.",
        "Keys that are not made of words (`a.b`, `a_b`, no long number) go with their values, in bodies too.",
        "Spans with links go nowhere on the operational side, nor into Kafka: links cannot be read or changed.",
        "Descriptions and metadata of metrics, attributes of exemplars, and metrics with odd names go.",
        (
            f"Metric points of which something is taken out get `{SERIES}`, a hash under OTEL_POSTHOG_UUID_KEY that\n"
            "keeps their series apart; without that key they go nowhere."
        ),
        "To the gateway allow-listed values go as they are: it filters them exactly. What rests in Kafka is redacted.",
        "On the product side bodies, span names, status messages, stack traces and messages of exceptions stay behind.",
    ]
    other = sorted(name for name, method in policy.privacy.detectors.items() if method is not HitMethod.REPLACE)
    if other:
        lines.append(f"The methods of {', '.join(other)} are the gateway's; here their hits are replaced.")
    if policy.privacy.rules:
        lines.append("`privacy.rules` are the gateway's: on the operational side they do not exist.")
    return lines


def _written(content: dict[str, Any]) -> str:
    text = yaml.dump(content, sort_keys=False, allow_unicode=True, width=_WIDTH, Dumper=_Dumper)
    # The Collector takes a single dollar sign for the beginning of a variable.
    return str(text).replace("$", "$$").replace(f"${KEY}", KEY)


class _Dumper(yaml.SafeDumper):
    """Lists below their key, and no anchors: the Collector's own way, and what people expect to read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the same
        super().increase_indent(flow, False)


def alloy_config(policy: Policy, source: str) -> str:
    """Return the configuration of a whole Alloy.

    Args:
        policy: What may go where.
        source: What the header is to call it.
    """
    sides = ((operational_processors(policy), _OPERATIONAL_ENDS), (product_processors(policy), _PRODUCT_ENDS))
    lines = [_ALLOY_HEADER.format(source=source), *_receiver([_input(next(iter(steps))) for steps, _ in sides])]
    for steps, ends in sides:
        names = list(steps)
        for at, name in enumerate(names):
            following = names[at + 1] if at + 1 < len(names) else None
            lines += ["", *_component(name, steps[name], following, ends)]
    for name, (variable, default) in _EXPORTERS.items():
        lines += ["", *_exporter(name, variable, default)]
    return "\n".join(lines) + "\n"


def _receiver(firsts: list[str]) -> Iterator[str]:
    yield 'otelcol.receiver.otlp "default" {'
    for protocol, variable, default in (
        ("grpc", "OTLP_GRPC_ENDPOINT", "127.0.0.1:4317"),
        ("http", "OTLP_HTTP_ENDPOINT", "127.0.0.1:4318"),
    ):
        yield f"  {protocol} {{"
        yield f'    endpoint = coalesce(sys.env("{variable}"), "{default}")'
        yield "  }"
    yield from _output(dict.fromkeys(_SIGNALS, "otelcol.processor.memory_limiter.default.input"))
    yield "}"
    yield ""
    yield 'otelcol.processor.memory_limiter "default" {'
    yield '  check_interval = "1s"'
    yield '  limit          = "512MiB"'
    first, second = firsts
    yield from _output({"metrics": first, "logs": f"{first}, {second}", "traces": f"{first}, {second}"})
    yield "}"


def _component(name: str, content: Mapping[str, Any], following: str | None, ends: Mapping[str, str]) -> Iterator[str]:
    kind, _, label = name.partition("/")
    yield f'otelcol.processor.{kind} "{label}" {{'
    for key, value in content.items():
        if key in _STATEMENTS:
            for each in value:
                yield f"  {key} {{"
                yield from _arguments(each, "    ")
                yield "  }"
        elif isinstance(value, dict):
            yield f"  {key} {{"
            yield from _arguments(value, "    ")
            yield "  }"
        else:
            yield from _arguments({key: value}, "  ")
    if following is None:
        yield from _output({signal: f"otelcol.exporter.otlphttp.{end}.input" for signal, end in ends.items()})
    else:
        yield from _output(dict.fromkeys(ends, _input(following)))
    yield "}"


def _exporter(name: str, variable: str, default: str) -> Iterator[str]:
    yield f'otelcol.exporter.otlphttp "{name}" {{'
    yield "  client {"
    yield f'    endpoint = coalesce(sys.env("{variable}"), "{default}")'
    if name == "gateway":
        yield '    headers  = {"Authorization" = "Bearer " + coalesce(sys.env("OTEL_POSTHOG_GATEWAY_TOKEN"), "none")}'
    yield "  }"
    yield "  retry_on_failure {"
    yield '    max_elapsed_time = "0s"'
    yield "  }"
    yield "}"


def _arguments(content: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, list):
            yield f"{indent}{key} = ["
            yield from (f"{indent}  {_quoted(each)}," for each in value)
            yield f"{indent}]"
        else:
            yield f"{indent}{key} = {_quoted(value)}"


def _output(to: Mapping[str, str]) -> Iterator[str]:
    yield "  output {"
    yield from (f"    {signal} = [{inputs}]" for signal, inputs in to.items())
    yield "  }"


def _input(name: str) -> str:
    kind, _, label = name.partition("/")
    return f"otelcol.processor.{kind}.{label}.input"


def _quoted(value: object) -> str:
    """Return `value` as Alloy writes it; a text between backquotes where it may stand there as it is."""
    if isinstance(value, str) and "`" not in value and ("\\" in value or '"' in value):
        return f"`{value}`".replace(KEY, f'` + sys.env("{UUID_KEY}") + `')
    return json.dumps(value, ensure_ascii=False)
