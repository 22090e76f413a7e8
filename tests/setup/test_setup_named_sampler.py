"""`OTEL_TRACES_SAMPLER=posthog`: who decides about the operational trace is named in its argument."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.sampling import Sampler

from otel_posthog import AnalyticsSampler, ConfigurationError
from otel_posthog.intake import Lift
from otel_posthog.setup.named_sampler import from_environment, from_file

TENTH = "ParentBased{root:TraceIdRatioBased{0.1}"


@pytest.mark.parametrize(
    ("argument", "description"),
    [
        (None, "ParentBased{root:AlwaysOnSampler"),
        ("  ", "ParentBased{root:AlwaysOnSampler"),
        ("0.1", TENTH),
        ("parentbased_traceidratio:0.1", TENTH),
        (" PARENTBASED_TRACEIDRATIO:0.1", TENTH),
        ("traceidratio:0.1", "TraceIdRatioBased{0.1}"),
        ("always_off", "AlwaysOffSampler"),
    ],
)
def test_the_argument_names_the_sampler_that_decides(argument: str | None, description: str) -> None:
    """A name, a name with a ratio, a ratio alone, or nothing for the SDK's own default."""
    made = from_environment(argument)
    assert isinstance(made, AnalyticsSampler)
    assert made.lift is Lift.ALL
    assert made.inner.get_description().startswith(description)


@pytest.mark.parametrize("argument", ["posthog", "nobody", "traceidratio", "1.5", "-1", "traceidratio:x", "nan"])
def test_what_cannot_decide_is_one_clear_line(argument: str) -> None:
    """No sampler of that name, ourselves, or a ratio that is none."""
    with pytest.raises(ConfigurationError) as caught:
        from_environment(argument)
    assert "OTEL_TRACES_SAMPLER_ARG" in str(caught.value)
    assert "parentbased_traceidratio:0.1" in str(caught.value)


@pytest.mark.parametrize(("word", "lift"), [("marked", Lift.MARKED), ("off", Lift.OFF)])
def test_what_is_lifted_is_the_variables_to_say(word: str, lift: Lift, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_POSTHOG_SAMPLER` holds for the sampler by name too."""
    monkeypatch.setenv("OTEL_POSTHOG_SAMPLER", word)
    made: Sampler = from_environment("always_off")
    assert isinstance(made, AnalyticsSampler)
    assert made.lift is lift


def test_a_file_hands_no_sampler_on() -> None:
    """In a configuration file it decides as the SDK's default does."""
    made = from_file()
    assert isinstance(made, AnalyticsSampler)
    assert made.inner.get_description().startswith("ParentBased{root:AlwaysOnSampler")
