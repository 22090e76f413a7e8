"""Whether an integration is disabled: by the standard variable, or in the SDK's configuration file."""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog import environment_variables as env


def is_disabled(name: str, environ: Mapping[str, str]) -> bool:
    """Return whether the variable lists `name`; `*`, which means all instrumentations, is asked for by itself.

    Args:
        name: Of an instrumentation's entry point.
        environ: Has the variable.
    """
    return name in {each.strip() for each in environ.get(env.DISABLED_INSTRUMENTATIONS, "").split(",")}


def is_disabled_in_file(name: str, path: str) -> bool:
    """Return whether a configuration file says `enabled: false` for an instrumentation.

    Args:
        name: Of its entry point.
        path: Of the file; empty where there is none.
    """
    if not path:
        return False
    try:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - not in every SDK

        instrumentation = load_config_file(path).instrumentation_development
    except Exception:  # this SDK reads no such file, or could not read it, and has said so
        return False
    named = (instrumentation.python if instrumentation else None) or {}
    return (named.get(name) or {}).get("enabled") is False
