"""What the doctor finds of filters, sampling and other ways into PostHog."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import KEY, doctor, healthy, texts
from opentelemetry.sdk.trace import TracerProvider

from otel_posthog.apps.doctor.browser import KEYS

pytestmark = pytest.mark.usefixtures("folder")


def policy(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the app use a policy."""
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(folder / "policy.yaml"))


ENFORCED = "catalog: {mode: enforce%s}\n"
POLICIES = {
    "catalog_empty": (ENFORCED % "", "every event is dropped"),
    "properties_removed": ("privacy: {rules: [{keys: ['*'], method: drop}]}\n", "remove every property"),
    "event_name_filtered": (ENFORCED % ", events: {bought_by_ann@example.org: {}, ticket_created: {}}", "(1)"),
    "consent_required": ("collection: {consent_required: true}\n", "consent"),
    "batches_slow": ("delivery: {flush_interval_s: 60}\n", "60 s"),
    "derive_rule_never": ("derive: [{name: shown, event: page_shown, when: {kind: [server]}, sample: 0}]\n", "shown"),
    "policy_refused": ("privcy: {}\n", "did you mean `privacy`"),
    "policy_weaker": ("operational: {redact: false}\n", "weaker than built in"),
    "spool_in_memory": ("delivery: {durability: memory}\n", "loses them"),
}


@pytest.mark.parametrize("kind", POLICIES)
def test_what_a_policy_says_is_found(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    text, says = POLICIES[kind]
    policy(text, folder, monkeypatch)
    found = doctor()
    assert found.complaints == [kind]
    assert found[kind]["fix"] or kind == "policy_refused"
    assert says in found[kind]["says"]


def test_each_destination_is_looked_at_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one whose catalog lets nothing through is named."""
    policy(
        "destinations: [{name: ours}, {name: vendor, api_key_env: VENDOR, catalog: {mode: enforce}}]\n",
        folder,
        monkeypatch,
    )
    monkeypatch.setenv("VENDOR", KEY + "x")
    found = doctor()
    assert found.complaints == ["catalog_empty"]
    assert found["catalog_empty"]["says"].startswith("destination vendor: ")


def test_a_project_that_is_named_twice_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have each event twice."""
    policy("destinations: [{name: ours}, {name: theirs, api_key_env: THEIRS}]\n", folder, monkeypatch)
    monkeypatch.setenv("THEIRS", KEY)
    found = doctor()
    assert found.complaints == ["destination_twice"]
    assert "ours and theirs" in found["destination_twice"]["says"]


def test_the_host_of_each_destination_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the environment is one's own, not all of theirs."""
    vendor = "{name: vendor, api_key_env: VENDOR, host: 'https://posthog.com'}"
    policy(f"destinations: [{{name: ours}}, {vendor}]\n", folder, monkeypatch)
    healthy(monkeypatch, VENDOR=KEY + "x", POSTHOG_HOST="https://eu.i.posthog.com")
    found = doctor()
    assert found.complaints == ["host_site"]
    assert "https://posthog.com is" in found["host_site"]["says"]


@pytest.mark.parametrize("variable", ["OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"])
def test_an_exporter_that_has_nothing_to_do_is_found(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside zero-code set-up; where that is switched off it is the integration."""
    healthy(monkeypatch, **{variable: "otlp,posthog"})
    found = doctor()
    assert found.complaints == ["posthog_exporter_named"]
    assert variable in found["posthog_exporter_named"]["says"]
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "posthog")
    assert doctor().complaints == ["zero_code_disabled"]


BROWSER = {
    "browser_mismatch": [
        {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "false"},
        {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "true", "ANALYTICS_ANONYMIZE_USER_IDS": "false"},
        {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "perhaps"},
        {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "true", "OTEL_POSTHOG_IDENTITY": "identified"},
    ],
    "browser_other_project": [{"NEXT_PUBLIC_POSTHOG_KEY": KEY + "x"}, {"VITE_PUBLIC_POSTHOG_KEY": KEY + "x"}],
}


@pytest.mark.parametrize(
    ("kind", "environ"), [(kind, each) for kind, all_ in BROWSER.items() for each in all_], ids=str
)
def test_a_browser_that_does_otherwise_is_found(
    kind: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both variables in what it says, and no key."""
    healthy(monkeypatch, **environ)
    found = doctor()
    assert found.complaints == [kind]
    assert next(iter(environ)) in found[kind]["says"]
    assert not [each for each in texts(found) if KEY in each]


@pytest.mark.parametrize(
    "environ",
    [{"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "true"}, {"NEXT_PUBLIC_POSTHOG_KEY": KEY},
     {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "no", "ANALYTICS_ANONYMIZE_USER_IDS": "false"}],
)  # fmt: skip
def test_a_browser_that_does_the_same_is_not_complained_of(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way both go."""
    healthy(monkeypatch, **environ)
    assert doctor().complaints == []


# What keeps no span, some spans, all of them, as the SDK's samplers are named.
KEEPS = {
    "always_off": 0, "parentbased_always_off": 0, "traceidratio:0": 0, "parentbased_traceidratio:0.0": 0,
    "posthog:always_off": 0, "posthog:parentbased_traceidratio:0": 0, "posthog:0": 0,
    "traceidratio:0.1": 1, "parentbased_traceidratio:0.5": 1, "posthog:0.1": 1, "posthog:traceidratio:0.1": 1,
    "": 2, "always_on": 2, "parentbased_always_on": 2, "traceidratio:1": 2, "traceidratio:": 2, "posthog:": 2,
    "posthog:always_on": 2, "posthog:1": 2,
}  # fmt: skip
BY_LIFT = {
    "all": ([], [], []),
    "marked": (["marked_of_nothing"], ["marked_of_some"], []),
    "off": (["unsampled_none_of_nothing"], ["unsampled_none"], ["unsampled_none"]),
}


@pytest.mark.parametrize("lift", BY_LIFT)
@pytest.mark.parametrize("sampler", KEEPS)
def test_a_sampler_that_loses_product_events_is_found(sampler: str, lift: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever keeps nothing or some, with whatever is recorded of the rest; none with `all`."""
    name, _, argument = sampler.partition(":")
    healthy(monkeypatch, OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument, OTEL_POSTHOG_SAMPLER=lift)
    found = doctor()
    assert found.complaints == BY_LIFT[lift][KEEPS[sampler]]
    assert all("=all" in found[each]["fix"] for each in found.complaints)


def test_a_sampler_that_a_file_names_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK does not read the variables then."""
    path = Path(__file__).parents[2] / "examples" / "otel-config.yaml"
    healthy(monkeypatch, OTEL_CONFIG_FILE=str(path), OTEL_TRACES_SAMPLER="always_off", OTEL_POSTHOG_SAMPLER="marked")
    assert doctor().complaints == []


@pytest.mark.parametrize(
    ("sampler", "kind"),
    [("often", "sampler_unknown"), ("posthog:often", "sampler_argument"), ("posthog:2", "sampler_argument")],
)
def test_a_sampler_that_the_sdk_would_not_take_is_found(
    sampler: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name or its argument."""
    name, _, argument = sampler.partition(":")
    healthy(monkeypatch, OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument)
    assert doctor().complaints == [kind]


@pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio"])
@pytest.mark.parametrize("argument", ["50%", "0,5", "2", "-1", "nan", "1/10", "0.1", " 1 ", "0", "1e-3", ""])
def test_a_ratio_that_the_sdk_does_not_take_is_found(name: str, argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps every span then, which the SDK says in one line of a log; what it takes is what `float` takes."""
    healthy(monkeypatch, OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument)
    taken = argument.strip() in {"0.1", "1", "0", "1e-3", ""}
    shown = TracerProvider().sampler.get_description()
    ratio = "1.0" if not taken or not argument else str(float(argument))
    assert f"TraceIdRatioBased{{{ratio}}}" in shown
    found = doctor()
    assert found.complaints == ([] if taken else ["sampler_argument"])
    assert taken or "no number from 0 to 1" in found["sampler_argument"]["says"]


@pytest.mark.parametrize(
    ("words", "disabled", "expected"),
    [("web,db", "", 0), ("web", "flask,django,fastapi,starlette,asgi,wsgi", 1), ("web,db,jobs", "*", 3),
     ("accounts", "*", 0), ("page_viewed", "*", 1)],
)  # fmt: skip
def test_rules_without_spans_are_found(
    words: str, disabled: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every instrumentation is disabled that makes the spans of a word."""
    healthy(monkeypatch, OTEL_POSTHOG_DERIVE=words, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=disabled)
    assert doctor().complaints == ["derive_without_spans"] * expected


VARIABLES = {
    "unsampled_none": {"OTEL_POSTHOG_SAMPLER": "off"},
    "unsampled_whole": {"OTEL_POSTHOG_LIGHT_SPANS": "false"},
    "setting_refused": {"OTEL_POSTHOG_SAMPLER": "nope"},
    "otlp_not_named": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
}


@pytest.mark.parametrize("kind", VARIABLES)
def test_what_a_variable_says_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    healthy(monkeypatch, **VARIABLES[kind])
    assert doctor().complaints == [kind]


def test_spans_of_another_sdk_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are recorded whole."""
    monkeypatch.delattr("opentelemetry.sdk.trace._Span")
    assert doctor().complaints == ["unsampled_whole_by_sdk"]


def test_posthog_python_beside_is_found(folder: Path) -> None:
    """In code that imports it while the bridge is off."""
    (folder / "shop.py").write_text("import posthog\n", encoding="utf-8")
    assert doctor().complaints == ["posthog_python_beside"]


@pytest.mark.parametrize("variable", KEYS)
def test_the_browsers_key_is_known_however_its_build_calls_it(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another project's beside a key of ours, and as the one that was meant where there is none."""
    healthy(monkeypatch, **{variable: KEY + "x"})
    found = doctor()
    assert found.complaints == ["browser_other_project"]
    assert found["browser_other_project"]["says"].startswith(variable)
    monkeypatch.delenv("POSTHOG_API_KEY")
    found = doctor()
    assert set(found.complaints) == {"off_no_key", "variable_unknown", "destination_no_key"}
    assert found["variable_unknown"]["says"].startswith(f"{variable} is set, and nobody reads it")
