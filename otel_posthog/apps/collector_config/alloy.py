"""The same processors, and the components around them, for Grafana Alloy, where each component names the next one.

Source: https://grafana.com/docs/alloy/latest/reference/components/otelcol/. `otelcol.processor.redaction` is
experimental there, so Alloy has to be started with `--stability.level=experimental`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from otel_posthog.apps.collector_config.operational import operational
from otel_posthog.apps.collector_config.product import KEY, product
from otel_posthog.environment_variables import UUID_KEY
from otel_posthog.policy import Policy

_HEADER = """\
// The policy of otel-posthog for Grafana Alloy: {source}. Made by `otel-posthog collector-config --format alloy`.
//
//   alloy run --stability.level=experimental config.alloy
//
// OTLP comes in and goes both ways: operational telemetry, redacted, to Tempo, Prometheus or Mimir, and Loki; product
// events, allow-listed, to `otel-posthog gateway`. Span metrics and tail sampling are not in it: put them between the
// last step of the operational side and its exporter. Alloy itself was not run: only the Collector's layers were.
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


def alloy(policy: Policy, source: str) -> str:
    """Return the configuration.

    Args:
        policy: What may go where.
        source: What the header is to call it.
    """
    sides = ((operational(policy), _OPERATIONAL_ENDS), (product(policy), _PRODUCT_ENDS))
    lines = [_HEADER.format(source=source), *_receiver([_input(next(iter(steps))) for steps, _ in sides])]
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
