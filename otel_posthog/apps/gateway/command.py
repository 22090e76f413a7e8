"""`otel-posthog gateway`: its help and its arguments. What serves is imported only when it is asked for."""

from __future__ import annotations

import argparse

from otel_posthog.apps.numbers import port, positive, seconds

NAME = "gateway"
SUMMARY = "take OTLP from other languages, browsers and Collectors; send its product events"
NEEDED_MODULES = ("google.protobuf", "google.rpc", "grpc", "opentelemetry.proto", "starlette", "uvicorn", "zstandard")
DESCRIPTION = """\
An OTLP receiver for traces and logs. Product events go through the policy's
filters to PostHog, as in a Python app; everything else is acknowledged, counted
and not kept: send that to your Collector.
An answer of success means that the events are on disk here; while that cannot
be, senders are told to retry later.

With --operational it is the other half: traces, logs and metrics, filtered as
an app with this package filters its own, go on to an OTLP backend, whose answer
is the answer. Nothing is kept, and PostHog is not needed.
"""
EPILOG = """\
examples:
  POSTHOG_API_KEY=phc_... otel-posthog gateway
      on 127.0.0.1: OTLP/HTTP on 4318, OTLP/gRPC on 4317
  otel-posthog gateway --host 0.0.0.0 --tokens-file tokens.txt
      for other machines; senders show `Authorization: Bearer <one of them>`
  otel-posthog gateway --cors-origin https://app.example.com
      for browsers with pages from there
  otel-posthog gateway --workers 4
      four processes on the same ports
  otel-posthog gateway --operational --backend http://tempo:4318
      operational telemetry, behind a Collector's sampling

  an app in any language:
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node app.js

paths:
  POST /v1/traces /v1/logs   protobuf or JSON; gzip, zstd or deflate
  POST /v1/metrics           acknowledged, counted, not kept; --operational
                             passes them on
  GET  /healthz /readyz      alive; takes events (503 where the spool is full)

environment:
  POSTHOG_API_KEY, POSTHOG_HOST, OTEL_POSTHOG_POLICY,
  OTEL_POSTHOG_SPOOL_DIR, ...     as for an app
  OTEL_POSTHOG_GATEWAY_TOKENS     bearer tokens, separated by commas
  OTEL_POSTHOG_UUID_KEY           the key, as in --uuid-key-file
  OTEL_POSTHOG_GATEWAY_BACKEND_HEADERS
                                  name=value, as in --backend-headers-file
  OTEL_EXPORTER_OTLP_ENDPOINT     where its own metrics go; without one nowhere

exit status: 0 stopped by a signal, 2 it cannot start
"""

DEFAULT_HTTP_PORT, DEFAULT_GRPC_PORT = 4318, 4317
"""As OTLP has them: https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port and #otlpgrpc-default-port."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        dest="http_port",
        type=port,
        default=DEFAULT_HTTP_PORT,
        metavar="N",
        help="OTLP/HTTP (default: 4318; 0: a free one)",
    )
    parser.add_argument(
        "--grpc-port", type=port, default=DEFAULT_GRPC_PORT, metavar="N", help="OTLP/gRPC (default: 4317; 0: none)"
    )
    parser.add_argument(
        "--health-port", type=port, metavar="N", help="answer /healthz and /readyz there too, and nothing else"
    )
    parser.add_argument("--policy", metavar="FILE", help="the policy file (default: OTEL_POSTHOG_POLICY)")
    parser.add_argument(
        "--tokens-file", metavar="FILE", help="bearer tokens, one a line; needed on an address that others reach"
    )
    parser.add_argument(
        "--uuid-key-file",
        metavar="FILE",
        help="the key of the uuids of log-based events, for gateways to share (default: the installation's)",
    )
    parser.add_argument(
        "--cors-origin",
        dest="cors_origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="pages from there may send; may be repeated (default: none)",
    )
    _add_backend(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object when it listens: http, grpc, health, tokens, to"
    )
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes (default: 1)")
    _add_limits(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it, and return the exit status."""
    from otel_posthog.apps.gateway.server import serve  # noqa: PLC0415 (only when asked for)

    return serve(arguments)


def _add_backend(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("operational telemetry")
    group.add_argument(
        "--operational",
        action="store_true",
        help="filter traces, logs and metrics and pass them on to a backend; no product events, no disk",
    )
    group.add_argument("--backend", metavar="URL", help="an OTLP/HTTP endpoint; /v1/traces and so on are added")
    for signal in ("traces", "logs", "metrics"):
        group.add_argument(f"--backend-{signal}", metavar="URL", help=f"the whole URL for {signal}")
    group.add_argument("--backend-headers-file", metavar="FILE", help="headers for it, `Name: value`, one a line")
    group.add_argument(
        "--backend-compression", choices=("none", "gzip"), default="none", help="of what it gets (default: none)"
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    mib = 1024 * 1024
    group.add_argument(
        "--max-body-bytes", type=positive, default=4 * mib, metavar="N", help="of a request (default: 4 MiB)"
    )
    group.add_argument(
        "--max-inflated-bytes",
        type=positive,
        default=16 * mib,
        metavar="N",
        help="of a request's body without compression (default: 16 MiB)",
    )
    group.add_argument(
        "--max-waiting-bytes",
        type=positive,
        default=128 * mib,
        metavar="N",
        help="of all requests being received and read at once, half of it for one sender (default: 128 MiB)",
    )
    group.add_argument("--max-items", type=positive, default=50_000, metavar="N", help="of a request (default: 50000)")
    group.add_argument(
        "--max-connections", type=positive, default=512, metavar="N", help="at once, for each worker (default: 512)"
    )
    for name, default_s, what in (
        ("header", 5.0, "for headers to arrive, and of an idle connection (default: 5)"),
        ("body", 10.0, "for a body to arrive (default: 10)"),
        ("work", 10.0, "for what has arrived to be done; then 503 (default: 10)"),
        ("stop", 10.0, "for requests when stopped (default: 10)"),
    ):
        group.add_argument(
            f"--{name}-timeout", dest=f"{name}_timeout_s", type=seconds, default=default_s, metavar="SECONDS", help=what
        )
