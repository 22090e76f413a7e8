"""Variables of the SDK with values that end its start: what would be set up after them is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "SDK variables"

WRONG = Kind(
    "sdk_variable_unusable", Group.PROCESS, Level.WRONG,
    "{variable} must be {rule}: OpenTelemetry's SDK cannot start with what it is set to",
    "set {variable} to that, or take it out", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
KINDS = (WRONG,)

FILTERS = ("trace_based", "always_on", "always_off")
_NAMED = {
    "OTEL_PYTHON_ID_GENERATOR": (
        "opentelemetry_id_generator",
        "the name of an id generator that is installed (random)",
    ),
    "OTEL_PYTHON_CONFIGURATOR": ("opentelemetry_configurator", "the name of a configurator that is installed"),
}
_QUEUE, _BATCH = 2048, 512
"""As the SDK has them: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables."""


def of_sdk_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each variable with which the SDK does not start."""
    for variable, rule in _unusable(environ):
        yield WRONG.found(ABOUT, variable=variable, rule=rule)


def _unusable(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable, (group, rule) in _NAMED.items():
        if variable in environ and not list(entry_points(group=group, name=environ[variable])):
            yield variable, rule
    if environ.get(env.CONFIG_FILE, "").strip():
        return
    for prefix in ("OTEL_BSP", "OTEL_BLRP"):
        yield from _of_batches(environ, prefix)
    if environ.get("OTEL_METRICS_EXEMPLAR_FILTER", FILTERS[0]) not in FILTERS:
        yield "OTEL_METRICS_EXEMPLAR_FILTER", "one of " + ", ".join(FILTERS)


def _of_batches(environ: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    names = [f"{prefix}_{each}" for each in ("MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE", "SCHEDULE_DELAY")]
    numbers = [_number(environ.get(each), default) for each, default in zip(names, (_QUEUE, _BATCH, 1), strict=True)]
    wrong = [each for each, number in zip(names, numbers, strict=True) if number <= 0]
    yield from ((each, "1 or more") for each in wrong)
    if not wrong and numbers[0] < numbers[1]:
        yield names[0], f"{numbers[1]} or more, which is {names[1]}"


def _number(text: str | None, default: int) -> int:
    """Return a number; the SDK takes its default for what is none."""
    try:
        return default if text is None else int(text)
    except ValueError:
        return default
