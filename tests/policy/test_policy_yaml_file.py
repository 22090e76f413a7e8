"""The policy file: what it says, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_posthog.errors import PolicyError
from otel_posthog.policy import HitMethod, IdentityMode, Policy
from otel_posthog.policy.yaml_file import load_policy, parse_policy

FULL = """\
version: 1
identity: identified
collection:
  off_switches: [ALGA_USAGE_STATS]
  consent_required: true
privacy:
  also_allow: [tenant.plan]
  detectors: [email, ip]
  max_depth: 3
operational:
  redact: false
delivery:
  flush_interval_s: 0.2
  max_batch_events: 10
destinations:
  - {name: vendor, api_key: phc_vendor, host: "https://eu.i.posthog.com", identity: anonymous}
  - {name: operator, api_key: phc_operator}
trace_url: "https://grafana.example/{trace_id}"
"""


def test_a_file_is_read_on_top_of_the_built_in_policy() -> None:
    """What the file sets is set, what it leaves out is as built in."""
    policy = parse_policy(FULL, source="p.yaml")
    assert policy.source == "p.yaml"
    assert policy.identity is IdentityMode.IDENTIFIED
    assert policy.collection.off_switches == ("ALGA_USAGE_STATS",)
    assert policy.collection.consent_required
    assert policy.privacy.allow == Policy().privacy.allow | {"tenant.plan"}
    assert dict(policy.privacy.detectors) == {"email": HitMethod.REPLACE, "ip": HitMethod.REPLACE}
    assert policy.privacy.sensitive_keys == Policy().privacy.sensitive_keys
    assert (policy.privacy.max_depth, policy.operational.redact) == (3, False)
    assert (policy.delivery.flush_interval_s, policy.delivery.max_batch_events) == (0.2, 10)
    assert [each.name for each in policy.destinations] == ["vendor", "operator"]
    assert policy.identity_of(policy.destinations[0]) is IdentityMode.INSTALLATION
    assert policy.identity_of(policy.destinations[1]) is IdentityMode.IDENTIFIED


def test_a_list_replaces_and_an_also_list_adds() -> None:
    """`allow` replaces the built-in list; `also_allow` next to it adds to the replacement."""
    policy = parse_policy("privacy:\n  allow: [a]\n  also_allow: [b]\n", source="p.yaml")
    assert policy.privacy.allow == {"a", "b"}


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_the_built_in_policy(text: str) -> None:
    """A file that says nothing changes nothing."""
    assert parse_policy(text, source="p.yaml").privacy == Policy().privacy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 1\nprivcy: {}\n", 2, "did you mean `privacy`?"),
        ("version: 2\n", 1, "write `version: 1`"),
        ("identity: everyone\n", 1, "anonymous, daily, pseudonymous, identified"),
        ("privacy:\n  max_depth: -1\n", 2, "a whole number above 0"),
        ("privacy:\n  max_depth: true\n", 2, "a whole number above 0"),
        ("privacy:\n  allow: http.route\n", 2, "must be a list"),
        ("privacy:\n  detectors: [emial]\n", 2, "detector `emial` does not exist; did you mean `email`?"),
        ("collection:\n  consent_required: maybe\n", 2, "true or false"),
        ("privacy: 5\n", 1, "must be a map"),
        ("identity: anonymous\nidentity: identified\n", 2, "a key stands twice"),
        ("a: [\n", 2, "this is not YAML"),
        ("destinations:\n  - {host: eu.i.posthog.com}\n", 2, "a host must be a URL"),
        ("destinations:\n  - {name: a}\n  - {name: a}\n", 3, "of its own"),
        ("destinations: []\n", 1, "there is no destination"),
        ("trace_url: 'https://x/{user}'\n", 1, "use {trace_id} and {span_id} and {from_ms} and {to_ms} only"),
        ("trace_url: 'https://x/{trace_id}?panes={\"a\":1}'\n", 1, "other braces are %7B and %7D"),
        ("trace_url: 'https://x/traces'\n", 1, "it has no {trace_id}"),
        ("trace_url: 'x/{trace_id}'\n", 1, "no address that a browser opens"),
        ("trace_url: 5\n", 1, "trace_url is no address that a browser opens"),
        ("operational:\n  events_url: 5\n", 2, "events_url is no address that a browser opens"),
        ("trace_url: 'javascript:alert({trace_id})'\n", 1, "no address that a browser opens"),
        ("trace_url: 'https://x/a b/{trace_id}'\n", 1, "no address that a browser opens"),
        ("trace_url: {datasource: tempo}\n", 1, "names one place"),
        ("operational:\n  events_url: https://p.example/\n", 2, "it has no {trace_id}"),
        ("operational:\n  events_url: 'https://p.example/{trace_id}/{user}'\n", 2, "use {trace_id} and {span_id} only"),
        ("operational:\n  events_url:\n    posthog: p.example\n    project: 1\n", 3, "posthog is no address"),
        ("operational:\n  events_url:\n    posthog: https://p.example\n", 2, "name a project"),
        (
            "operational:\n  events_url:\n    posthog: https://p.example\n    project: 1\n    destination: x\n",
            5,
            "no destination of this name",
        ),
        ("trace_url: {grafana: 'https://g', jaeger: 'https://j', datasource: a}\n", 1, "names one place"),
        ("trace_url:\n  grafana: https://g.example\n", 1, "the data source that has the traces"),
        ("trace_url:\n  grafana: https://g.example\n  datasource: 'a b'\n", 3, "write the `uid`"),
        ("trace_url:\n  grafana: g.example\n  datasource: a\n", 2, "write e.g. `grafana: https://grafana.example`"),
        ("trace_url:\n  jaeger: https://j.example/search?a=b\n", 2, "jaeger is no address"),
        ("trace_url:\n  jaeger: https://j.example\n  datasource: a\n", 3, "datasource is Grafana's"),
        ("trace_url:\n  jaeger: https://j.example\n  org_id: 1\n", 3, "org_id is Grafana's"),
        ("trace_url:\n  grafana: https://g.example\n  datasource_type: zipkin\n", 3, "tempo"),
        ("delivery:\n  worker_interval_s: 0.5\n", 2, "at least every 0.02 s"),
        ("- a\n", 1, "must be a map"),
        ("source: x\n", 1, "is not a key of the policy"),
    ],
)
def test_every_complaint_names_the_line_and_the_fix(text: str, line: int, words: str) -> None:
    """A policy that cannot be meant is refused in one line: file, line, problem, fix."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="p.yaml")
    message = str(caught.value)
    assert message.startswith(f"p.yaml:{line}: ")
    assert words in message
    assert "\n" not in message


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """A path that leads nowhere names the path and the variable."""
    with pytest.raises(PolicyError, match="OTEL_POSTHOG_POLICY"):
        load_policy(tmp_path / "none.yaml")


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    """The path becomes the policy's source."""
    path = tmp_path / "p.yaml"
    path.write_text(FULL, encoding="utf-8")
    assert load_policy(path).source == str(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(path)
