"""What is wrong is read by whoever started the program, also where only OpenTelemetry's handler would log it."""

from __future__ import annotations

from pathlib import Path

import pytest
from authority import Authority
from instrumented import EVENTS_PER_ORDER, instrumented, shop

from otel_posthog.testing import FakePostHog, Fault, OtlpSink

# Of the machine's own.
NONE = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One that no machine believes."""
    return Authority(tmp_path / "authority")


def lines(out: str, part: str) -> list[str]:
    """Return the lines of `out` that hold `part`."""
    return [line for line in out.splitlines() if part in line]


def test_a_wrong_key_is_told_once_on_standard_error(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """The line that goes away with the telemetry is seen here too, without the key."""
    fake_posthog.api_key = "phc_other"
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url)
    told = lines(run.out, "does not take events")
    assert len(told) == 1, run.out
    assert told[0].startswith("PostHog does not take events for destination default (HTTP 401): check POSTHOG_API_KEY")
    assert "phc_" not in run.out
    assert len(lines(run.out, "Usage statistics enabled")) == 1


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"POSTHOG_API_KEY": '"phc_test"'}, "POSTHOG_API_KEY has quotes around it; write the key without them"),
        ({"OTEL_POSTHOG_POLICY": "/nowhere/policy.yaml"}, "/nowhere/policy.yaml"),
        ({"OTEL_POSTHOG_SAMPLER": "some"}, "OTEL_POSTHOG_SAMPLER must be all, marked or off"),
        ({"POSTHOG_HOST": "https://us.posthog.com"}, "they go to https://us.i.posthog.com"),
    ],
)
def test_a_mistake_at_start_is_told_on_standard_error(
    variables: dict[str, str], said: str, otlp_sink: OtlpSink
) -> None:
    """Every line of the start, not only those of the sender."""
    start = {"POSTHOG_API_KEY": "phc_test", "POSTHOG_HOST": "http://127.0.0.1:1", **variables}
    run = shop(0, otlp=otlp_sink.url, **start)
    assert len(lines(run.out, said)) == 1, run.out


@pytest.mark.parametrize(
    ("name", "believes", "said"),
    [
        ("IP:127.0.0.1", False, "(certificate not accepted: unable to get local issuer certificate)"),
        ("DNS:posthog.example", True, "(the certificate is for another host)"),
    ],
)
def test_a_tls_failure_is_told_once_on_standard_error(
    name: str, said: str, *, believes: bool, authority: Authority, otlp_sink: OtlpSink
) -> None:
    """An unknown authority, a certificate of somebody else: what is wrong, and where to put it right."""
    bundle = {"REQUESTS_CA_BUNDLE": str(authority.certificate)} if believes else {}
    with FakePostHog(tls=authority.server(name)) as server:
        run = shop(1, otlp=otlp_sink.url, posthog=server.url, **bundle)
    told = lines(run.out, "no TLS connection for destination default")
    assert len(told) == 1, run.out
    assert said in told[0]
    assert "REQUESTS_CA_BUNDLE" in told[0]
    assert server.events == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_tls_by_an_authority_of_ones_own(variable: str, authority: Authority, otlp_sink: OtlpSink) -> None:
    """Each of the usual variables has it believed: everything arrives, nothing is told."""
    with FakePostHog(tls=authority.server("IP:127.0.0.1")) as server:
        run = shop(2, otlp=otlp_sink.url, posthog=server.url, **{**NONE, variable: str(authority.certificate)})
    assert len(server.unique_events) == 2 * EVENTS_PER_ORDER
    assert lines(run.out, "TLS") == []


def test_a_server_that_is_away_for_a_moment_is_not_told_of(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """What passes is waited for without a word."""
    fake_posthog.fault(Fault(status=503, times=1))
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert len(fake_posthog.unique_events) == EVENTS_PER_ORDER
    assert lines(run.out, "destination") == []


LONG_IDS = """
import otel_posthog
for number in range(3):
    otel_posthog.capture("paid", {"n": number}, distinct_id="u" * 201)
"""


def test_an_id_that_posthog_would_not_take_is_told_once(
    tmp_path: Path, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """A program of a second: its events arrive as those of nobody, and a line says why."""
    program = tmp_path / "program.py"
    program.write_text(LONG_IDS)
    run = instrumented(str(program), otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_POSTHOG_IDENTITY="identified")
    assert len(fake_posthog.unique_events) == 3
    said = "product events are sent, but not as they were given (logged once): distinct_id_invalid 3"
    assert lines(run.out, "distinct_id_invalid") == [said]


def test_a_browser_half_alone_that_differs_is_told(otlp_sink: OtlpSink) -> None:
    """`NEXT_PUBLIC_...=false` beside a half that anonymizes by default."""
    name = "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS"
    run = shop(0, otlp=otlp_sink.url, posthog="http://127.0.0.1:1", **{name: "false"})
    assert len(lines(run.out, f"{name} differ: user ids are anonymized here and preserved in the browser")) == 1


CONFIGURED = """
import logging, logging.config, sys
import otel_posthog
{}
otel_posthog.capture("paid", {{"n": 1}})
print("done")
"""
INI = "[loggers]\\nkeys=root\\n[handlers]\\nkeys=\\n[formatters]\\nkeys=\\n[logger_root]\\nlevel=INFO\\nhandlers=\\n"


@pytest.mark.parametrize(
    ("configuration", "number"),
    [
        ('logging.config.dictConfig({"version": 1})', 1),
        ('logging.config.dictConfig({"version": 1, "loggers": {"otel_posthog": {"level": "INFO"}}})', 1),
        (f'import io; logging.config.fileConfig(io.StringIO("{INI}"))', 1),
        ('logging.getLogger("otel_posthog").disabled = True', 0),
    ],
    ids=["ours not named", "ours named", "file", "switched off"],
)
def test_a_wrong_key_is_told_whatever_the_program_does_to_its_logging(
    configuration: str, number: int, *, tmp_path: Path, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """`logging.config` disables every logger that it is not told of; who means ours says so."""
    fake_posthog.api_key = "phc_other"
    program = tmp_path / "program.py"
    program.write_text(CONFIGURED.format(configuration))
    run = instrumented(str(program), otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert run.returncode == 0, run.out
    assert len(lines(run.out, "does not take events")) == number, run.out
