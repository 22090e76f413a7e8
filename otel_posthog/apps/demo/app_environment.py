"""The environment in which the demo runs the helpdesk: the user's, less what would disturb, plus the demo's set-up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.options import OTLP_ENDPOINT, OTLP_PROTOCOL, Options
from otel_posthog.apps.demo.planted import owner
from otel_posthog.errors import ConfigurationError
from otel_posthog.setup.settings import read

GRPC_PORT = 4317

SWITCHES = (env.USAGE_STATS, env.DO_NOT_TRACK, env.ANALYTICS_ANONYMIZE_USER_IDS, env.INSTANCE_ID)
"""Variables without a telling prefix that decide over collection; obeyed when the events go to the user's project."""

FIXED = {
    "OTEL_SERVICE_NAME": "helpdesk",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    # Short waits, so that a watcher sees telemetry as it happens.
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    # Long: metrics that the SDK exports of itself before any hook is called are not redacted, and where nothing is
    # compiled yet a hook is called seconds after the metric reader has begun to count. The rest goes at the end.
    "OTEL_METRIC_EXPORT_INTERVAL": "10000",
    # Old and new names of HTTP and database attributes: twice as many places for personal data to hide in.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup,database/dup",
    # As teams do to see which integration called; it is how tokens get into traces.
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "authorization,user-agent",
    # The SDK's count of all spans started tells how many the sampler left out.
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
    "PYTHONUNBUFFERED": "1",
}


def app_environment(options: Options, folder: Path, python_path: Path) -> dict[str, str]:
    """Return the app's environment, without destinations that the demo embeds.

    Args:
        options: The run.
        folder: Takes the state that the app keeps.
        python_path: The folder that holds the helpdesk.
    """
    return {
        **_kept(options),
        **FIXED,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(python_path), options.environ.get("PYTHONPATH")))),
        "OTEL_TRACES_SAMPLER": options.sampler,
        "OTEL_TRACES_SAMPLER_ARG": str(options.sampling),
        "OTEL_RESOURCE_ATTRIBUTES": f"service.version=1.0,service.owner={quote(owner(options.seed).value, safe='')}",
        env.OTEL_POSTHOG_STATE_DIR: str(folder),
        # What waits in the user's own spool is not the demo's to deliver.
        env.OTEL_POSTHOG_SPOOL_DIR: str(folder / "spool"),
    }


def refuse_others(environment: Mapping[str, str], host: str) -> None:
    """Refuse a policy of the user's by which the app would send what is made up to more than the embedded PostHog.

    Raises:
        ConfigurationError: It would, or the policy cannot be read.
    """
    settings = read(environment)
    others = [each.name for each in settings.policy.destinations if each.api_key and each.host != host]
    if others and settings.collection.enabled:
        raise ConfigurationError(
            f"{settings.policy.source} names destinations with keys of their own ({', '.join(others)}): what is made "
            "up here would be sent there; take their keys out for this, or give --live"
        )


def _kept(options: Options) -> dict[str, str]:
    """Return the user's variables less those of OpenTelemetry and PostHog, destinations of their own excepted.

    Ours stay: who has a policy of their own wants to see what it does.
    """
    kept = {name: value for name, value in options.environ.items() if not name.startswith(("OTEL_", "POSTHOG_"))}
    kept |= _beginning(options, "OTEL_POSTHOG_")
    if options.own_posthog:
        kept |= _beginning(options, "POSTHOG_")
    else:
        kept = {name: value for name, value in kept.items() if name not in SWITCHES}
    if options.own_otlp:
        kept |= {
            OTLP_PROTOCOL: _usual_protocol(options.environ[OTLP_ENDPOINT]),
            **_beginning(options, "OTEL_EXPORTER_OTLP_"),
        }
    return kept


def _usual_protocol(endpoint: str) -> str:
    """Return what is spoken at `endpoint` unless the user says otherwise: gRPC on its registered port, else HTTP.

    The distribution's own default is gRPC everywhere, which at an HTTP endpoint loses everything without a word. The
    ports are those of https://opentelemetry.io/docs/specs/otlp/.
    """
    try:
        return "grpc" if urlsplit(endpoint).port == GRPC_PORT else "http/protobuf"
    except ValueError:  # no number: the exporter says so in its own words
        return "http/protobuf"


def _beginning(options: Options, prefix: str) -> dict[str, str]:
    return {name: value for name, value in options.environ.items() if name.startswith(prefix)}
