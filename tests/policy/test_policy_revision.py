"""Which policy is in force: on receipts, in doctor, on the metric of events; the same name for the same rules."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from events import event
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_posthog.apps.cli import main
from otel_posthog.clean import Cleaner
from otel_posthog.deliver import Preview
from otel_posthog.errors import Guard, PolicyError
from otel_posthog.health import MAX_POLICIES, Health
from otel_posthog.model import Receipt, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    CollectionPolicy,
    DeliveryPolicy,
    DeriveOptions,
    DeriveRule,
    Destination,
    ExceptionMode,
    ExceptionPolicy,
    IdentityMode,
    InstallationRotation,
    OperationalPolicy,
    Policy,
    PrivacyPolicy,
    Rule,
)
from otel_posthog.policy.policy import revision_of
from otel_posthog.policy.sections.identity import IdentityUser
from otel_posthog.policy.yaml_file import load_policy, parse_policy
from otel_posthog.privacy.sanitize import sanitize_properties_with_receipt
from otel_posthog.setup.instruments import instrument

POLICY = Policy(destinations=(Destination(api_key="phc_x", host="http://127.0.0.1:9"),))
OTHER = replace(POLICY, identity=IdentityMode.UNLINKED, revision="2026-11")
# What decides what may leave, with another value than the built-in one.
DECIDES: dict[str, Any] = {
    "version": 2,
    "identity": IdentityMode.IDENTIFIED,
    "installation_rotation": InstallationRotation.MONTHLY,
    "identity_baggage": "send",
    "identity_user": IdentityUser(attribute="uuid"),
    "collection": CollectionPolicy(consent_required=True),
    "catalog": Catalog(mode=CatalogMode.ENFORCE),
    "privacy": PrivacyPolicy(rules=(Rule(keys=("plan",)),)),
    "exceptions": ExceptionPolicy(mode=ExceptionMode.OFF),
    "operational": OperationalPolicy(redact=False),
    "derive": (DeriveRule(name="x", event="x"),),
    "derive_options": DeriveOptions(slow_query_ms=1),
    "destinations": (Destination(identity=IdentityMode.DAILY),),
    "trace_url": "https://x.example/{trace_id}",
}
DOES_NOT: dict[str, Any] = {
    "source": "/etc/policy.yaml",
    "identity_keys_file": "/run/keys",
    "delivery": DeliveryPolicy(max_batch_events=7),
    "watch_interval_s": 5.0,
}


@pytest.mark.parametrize("name", DECIDES)
def test_another_rule_is_another_version(name: str) -> None:
    """Of every section."""
    assert revision_of(replace(Policy(), **{name: DECIDES[name]})) != revision_of(Policy())


def test_what_does_not_decide_what_leaves_is_no_other_version() -> None:
    """Paths, hosts, keys and delivery are each machine's; every field of a policy is one or the other."""
    for name, value in DOES_NOT.items():
        assert revision_of(replace(Policy(), **{name: value})) == revision_of(Policy())
    assert revision_of(POLICY) == revision_of(Policy())
    assert {each.name for each in fields(Policy)} == {*DECIDES, *DOES_NOT, "revision"}


def test_the_operators_name_stands_before_the_digest(tmp_path: Path) -> None:
    """`revision: 2026-11` in the file; the digest tells when somebody forgot to change it."""
    digest = revision_of(Policy())
    assert revision_of(replace(Policy(), revision="2026-11")) == f"2026-11-{digest}"
    paths = [tmp_path / name for name in ("a.yaml", "b.yaml")]
    for path in paths:
        path.write_text("revision: 2026-11\nidentity: daily\n", encoding="utf-8")
    one, other = (revision_of(load_policy(str(path))) for path in paths)
    assert one == other
    assert one.startswith("2026-11-")
    with pytest.raises(PolicyError, match="a revision is shown in metrics"):
        parse_policy('revision: "jo@example.org"\n', source="p")


def test_the_version_is_the_same_in_every_process() -> None:
    """Whatever the order in which a set is walked."""
    code = "from otel_posthog.policy import Policy; from otel_posthog.policy.policy import revision_of as r; "
    found = {
        subprocess.run(
            [sys.executable, "-c", f"{code}print(r(Policy()))"],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {revision_of(Policy())}


def test_every_receipt_has_the_version_in_force() -> None:
    """Of the pipeline, of `sanitize_properties_with_receipt`; with nothing noted, too."""
    for policy in (POLICY, OTHER):
        receipt = Receipt()
        Cleaner(policy, installation_id="i", health=Health()).clean(event(), policy.destinations[0], receipt)
        assert (receipt.policy, receipt.entries) == (revision_of(policy), [])
        assert sanitize_properties_with_receipt({"a": 1}, policy)[1].policy == revision_of(policy)


def test_doctor_and_explain_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's policy is the one of the environment."""
    path = tmp_path / "p.yaml"
    path.write_text("revision: r7\nidentity: unlinked\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(path))
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "state"))
    expected = revision_of(load_policy(str(path)))
    main(["doctor"])
    assert f"{path}, version {expected}" in capsys.readouterr().out
    given = tmp_path / "e.json"
    given.write_text('{"plan": "pro"}', encoding="utf-8")
    assert main(["explain", str(given)]) == 0
    assert capsys.readouterr().out.endswith(f"  under the policy {expected}\n")
    assert main(["explain", "--json", str(given)]) == 0
    item = json.loads(capsys.readouterr().out.splitlines()[0])
    assert item["events"][0]["destinations"][0]["policy"] == expected


def test_the_metric_of_events_tells_under_which_policy() -> None:
    """Of a policy that is replaced and comes back, the counts go on where they were; none is counted twice."""
    health = Health()
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    instrument(meters, health)
    pipeline = Pipeline(
        POLICY, installation_id="i", health=health, guard=Guard(health), delivery=Preview(POLICY, health, Guard(health))
    )

    def seen() -> dict[str, int]:
        pipeline.flush(30)
        data = reader.get_metrics_data()
        assert data is not None
        metrics = [each for rm in data.resource_metrics for sm in rm.scope_metrics for each in sm.metrics]
        points: Any = next(each for each in metrics if each.name == "otel_posthog.events").data.data_points
        return {each.attributes["policy"]: each.value for each in points if each.attributes["outcome"] == "received"}

    def submit(number: int) -> None:
        for _ in range(number):
            pipeline.submit(Signal(Source.LOG, "e", {}, 1_790_000_000_000_000_000))

    one, other = revision_of(POLICY), revision_of(OTHER)
    submit(2)
    assert seen() == {one: 2}
    pipeline.replace_policy(OTHER)
    submit(3)
    assert seen() == {one: 2, other: 3}
    pipeline.replace_policy(POLICY)
    submit(1)
    assert seen() == {one: 3, other: 3}
    assert sum(seen().values()) == health.total("received")
    pipeline.shutdown(0)
    meters.shutdown()


def test_the_number_of_versions_that_are_counted_is_bounded() -> None:
    """A metric attribute must not grow without end; no count is lost."""
    health = Health()
    for number in range(3 * MAX_POLICIES):
        health.use_policy(f"r{number}")
        health.count("received")
    counted = health.by_policy()
    assert len(counted) == MAX_POLICIES + 1
    assert sum(counted.values()) == 3 * MAX_POLICIES
    assert counted["received", "", "other"] == 2 * MAX_POLICIES
