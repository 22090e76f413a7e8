"""`otel-posthog doctor --send`: one event to each destination, followed to PostHog or to what is in the way."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from authority import Authority
from doctored import KEY, Found, doctor, healthy
from ill_servers import Dated, Proxy, blocked, closing, silent
from ports import free_port

from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.fake_posthog import Fault
from otel_posthog.testing.server import Answer

NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)
PAGE = Fault(status=200, body=b"<!doctype html><title>Log in</title>", content_type="text/html", times=None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody believes."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An app in which nothing is wrong, with a working operational side."""
    monkeypatch.chdir(tmp_path)
    with OtlpSink() as sink:
        healthy(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")
        yield


@pytest.fixture
def posthog(monkeypatch: pytest.MonkeyPatch, fake_posthog: FakePostHog) -> FakePostHog:
    """A PostHog that knows the app's key."""
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    fake_posthog.api_key = KEY
    return fake_posthog


def sent(timeout_s: float = 2.0) -> Found:
    """Send, and return what was found; half of the time is for an answer, half to find out why there is none."""
    return doctor("--send", "--timeout", str(timeout_s))


def test_an_event_that_arrives_is_no_complaint(posthog: FakePostHog) -> None:
    """One event, one line; the same of a server that knows `/batch/` only."""
    found = sent(20)
    assert (found.status, found.complaints) == (0, [])
    assert [each.event for each in posthog.events] == ["otel_posthog_doctor"]


def test_a_server_with_the_older_format_is_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event goes to `/batch/`."""
    with FakePostHog(api_key=KEY, v1=False) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        assert sent(20).complaints == []
        assert len(server.events) == 1


ANSWERS = {
    "trial_key_unknown": (Fault(status=401, times=None), "check the key"),
    "trial_key_refused": (Fault(status=403, times=None), "check the key"),
    "trial_quota": (Fault(status=402, times=None), "billing"),
    "trial_no_endpoint": (Fault(status=404, times=None), "no PostHog there"),
    "trial_proxy_password": (Fault(status=407, times=None), "HTTPS_PROXY"),
    "trial_too_many": (Fault(status=429, times=None), "wait"),
    "trial_server_fails": (Fault(status=500, times=None), "is well"),
    "trial_redirected": (Fault(status=301, times=None), "set POSTHOG_HOST"),
    "trial_rejected": (Fault(status=418, times=None), "for good"),
    "trial_asked_again": (Fault(results={"otel_posthog_doctor": "retry"}, times=None), "try again"),
    "trial_not_posthog": (PAGE, "a portal of this network, or PostHog's app"),
    "posthog_silent": (Fault(hang_s=30.0, times=None), "what listens there"),
    "posthog_closed": (Fault(drop_connection=True, times=None), "correct POSTHOG_HOST"),
}


# What is tried again until the time is over, or is waited for.
AGAIN = {"trial_too_many", "trial_server_fails", "trial_asked_again", "posthog_silent", "posthog_blocked"}


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_answer_is_told_with_its_mend(kind: str, posthog: FakePostHog) -> None:
    """And nothing else is complained of; no event has arrived."""
    fault, fix = ANSWERS[kind]
    posthog.fault(fault)
    found = sent(2.0 if kind in AGAIN else 20.0)
    assert (found.status, found.complaints) == (1, [kind])
    assert found[kind]["says"].startswith("the event did not arrive")
    assert fix in found[kind]["fix"]
    assert posthog.events == []


RESULTS = {"drop": ["trial_rejected"], "retry": ["trial_asked_again"], "ok": [], "warning": [], "new": []}


@pytest.mark.parametrize("result", RESULTS)
def test_what_posthog_says_of_the_event_itself_counts(result: str, posthog: FakePostHog) -> None:
    """A 200 is no arrival, its result for this event is; a word that is not known counts as in an app."""
    posthog.fault(Fault(results={"otel_posthog_doctor": result}, times=None))
    found = sent(2)
    assert (found.status, found.complaints) == (bool(RESULTS[result]), RESULTS[result])
    assert ("trial_arrived" in found.ids) is not bool(RESULTS[result])


def test_an_event_that_posthog_takes_at_the_second_time_has_arrived(posthog: FakePostHog) -> None:
    """It asks for it again once, and has it then."""
    posthog.fault(Fault(results={"otel_posthog_doctor": "retry"}, times=1))
    assert sent(20).complaints == []
    assert len(posthog.events) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"status": "ok", "results": 1}', b'{"ok": true}', b"OK", b"<html>", b"\x00\xff", b"null"],
)
@pytest.mark.parametrize("status", [200, 202])
def test_a_2xx_that_is_not_posthogs_is_no_arrival(status: int, body: bytes, posthog: FakePostHog) -> None:
    """Whatever stands in it, as long as it is none of PostHog's answers."""
    posthog.fault(Fault(status=status, body=body, times=None))
    assert sent().complaints == ["trial_not_posthog"]


def test_an_event_that_the_catalog_does_not_declare_says_so(
    posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may not be sent, by the doctor neither."""
    policy = {"catalog": {"mode": "enforce", "events": {"ticket_created": {}}}}
    (tmp_path / "policy.yaml").write_text(json.dumps(policy), encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(tmp_path / "policy.yaml"))
    assert "trial_not_declared" in sent().complaints
    assert posthog.events == []


def test_where_consent_is_required_the_event_has_that_of_who_asks(
    posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is about nobody, and somebody has asked for it."""
    (tmp_path / "policy.yaml").write_text("collection: {consent_required: true}\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(tmp_path / "policy.yaml"))
    assert "trial_arrived" in sent(20).ids
    assert len(posthog.events) == 1


CONNECTIONS = {"posthog_blocked": blocked, "posthog_silent": silent, "posthog_closed": closing}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", CONNECTIONS)
def test_a_host_that_does_not_answer_is_told(kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within seconds: a port that is blocked, a server that hangs, one that closes."""
    serve: AbstractContextManager[int] = CONNECTIONS[kind]()
    with serve as port:
        monkeypatch.setenv("POSTHOG_HOST", f"{scheme}://127.0.0.1:{port}")
        started = time.monotonic()
        found = sent(2.0 if kind in AGAIN else 8.0)
    assert found.complaints == [kind]
    assert f"127.0.0.1:{port}" in found[kind]["says"]
    assert time.monotonic() - started < 10


def test_many_hosts_that_hang_take_no_longer_than_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are asked at once, and each is told of."""
    with silent() as port, silent() as end:
        hosts = [
            {"name": f"d{each}", "api_key": f"{KEY}{each}", "host": f"http://127.0.0.1:{port}"} for each in range(5)
        ]
        (tmp_path / "policy.yaml").write_text(json.dumps({"destinations": hosts}), encoding="utf-8")
        monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(tmp_path / "policy.yaml"))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{end}")
        monkeypatch.delenv("POSTHOG_API_KEY")
        started = time.monotonic()
        found = sent(2)
    assert sorted(found.complaints) == ["otlp_silent", *["posthog_silent"] * 5]
    assert time.monotonic() - started < 5 * 2
    assert not [each for each in found.ids if each.endswith("_not_examined")]


def test_a_port_where_nobody_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what that mostly is in a container."""
    monkeypatch.setenv("POSTHOG_HOST", f"http://127.0.0.1:{free_port()}")
    found = sent()
    assert found.complaints == ["posthog_refused"]
    assert "in a container" in found["posthog_refused"]["fix"]


def test_a_network_without_a_way_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine connects to the address of all."""
    monkeypatch.setenv("POSTHOG_HOST", "http://255.255.255.255")
    assert "posthog_no_route" in sent().complaints


def test_tls_that_two_do_not_agree_on_is_told(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that wants a certificate of its clients."""
    tls = authority.server("IP:127.0.0.1")
    tls.verify_mode, tls.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with FakePostHog(api_key=KEY, tls=tls) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        assert sent().complaints == ["posthog_tls"]


def test_a_name_that_does_not_resolve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that, or where the DNS itself does not answer, as that."""
    monkeypatch.setenv("POSTHOG_HOST", "https://no-such-host.invalid")
    found = sent()
    assert found.complaints in (["posthog_no_name"], ["posthog_name_silent"])


def test_a_dns_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver of a system takes no time-out; the doctor goes on without its answer."""
    real = socket.getaddrinfo

    def slow(host: str, *rest: object, **named: object) -> object:
        if host == "slow.example":
            time.sleep(4)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setenv("POSTHOG_HOST", "https://slow.example")
    assert sent().complaints == ["posthog_name_silent"]


CERTIFICATES = {
    "posthog_unknown_ca": (-DAY, DAY, "IP:127.0.0.1", False),
    "posthog_certificate_expired": (-2 * DAY, -DAY, "IP:127.0.0.1", True),
    "posthog_certificate_not_yet": (DAY, 2 * DAY, "IP:127.0.0.1", True),
    "posthog_certificate_other_host": (-DAY, DAY, "DNS:elsewhere.example", True),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_each_fault_of_a_certificate_is_told(kind: str, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by an authority, believed or not, in its time or out of it, for this host or another."""
    begin, end, name, is_believed = CERTIFICATES[kind]
    if is_believed:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with FakePostHog(api_key=KEY, tls=authority.server_at_times(name, NOW + begin, NOW + end)) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        found = sent()
    assert found.complaints == [kind]
    assert server.requests == []


def test_certificates_that_cannot_be_read_are_told(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the variable that names them."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with FakePostHog(api_key=KEY, tls=authority.server("IP:127.0.0.1")) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        found = sent()
    assert found.complaints == ["posthog_ca_unreadable"]
    assert "REQUESTS_CA_BUNDLE" in found["posthog_ca_unreadable"]["fix"]


@pytest.mark.parametrize(
    ("is_tls", "scheme", "kind"), [(True, "http", "posthog_tls_wanted"), (False, "https", "posthog_no_tls")]
)
def test_the_wrong_scheme_is_told(
    is_tls: bool, scheme: str, kind: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP to a port that speaks TLS, and TLS to one that does not."""
    tls = authority.server("IP:127.0.0.1") if is_tls else None
    with FakePostHog(api_key=KEY, tls=tls) as server:
        monkeypatch.setenv("POSTHOG_HOST", f"{scheme}://{server.url.partition('://')[2]}")
        assert sent().complaints == [kind]


def test_a_key_of_the_other_region_is_told(monkeypatch: pytest.MonkeyPatch, fake_posthog: FakePostHog) -> None:
    """PostHog in the US does not know a key of the EU's, and the other way; the finding names the host."""
    fake_posthog.api_key = KEY
    with FakePostHog(api_key="phc_of_another") as other:
        for here, there in (("us", "eu"), ("eu", "us")):
            hosts = {f"{here}.i.posthog.com": other.url, f"{there}.i.posthog.com": fake_posthog.url}
            with Proxy(hosts) as proxy:
                monkeypatch.setenv("HTTP_PROXY", proxy.url)
                monkeypatch.setenv("NO_PROXY", "127.0.0.1")
                monkeypatch.setenv("POSTHOG_HOST", f"http://{here}.i.posthog.com")
                found = sent()
                assert "trial_key_unknown" in found.complaints
                assert f"set POSTHOG_HOST=https://{there}.i.posthog.com" in found["trial_key_unknown"]["fix"]
                monkeypatch.setenv("POSTHOG_HOST", f"http://{there}.i.posthog.com")
                assert "trial_arrived" in sent(20).ids


def test_a_proxy_that_is_not_there_is_told(posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is named for other hosts is no matter."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    assert "trial_proxy_unreachable" in sent().complaints
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    assert "trial_arrived" in sent(20).ids


def test_a_proxy_that_makes_no_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and answers no CONNECT."""
    with Proxy({}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("POSTHOG_HOST", "https://ph.example.org")
        found = sent()
    assert found.complaints == ["trial_other"]
    assert "ProxyError" in found["trial_other"]["says"]


def taken(body: bytes) -> Answer:
    """Answer as PostHog does."""
    uuids = [each["uuid"].lower() for each in json.loads(body)["batch"]]
    return Answer(200, json.dumps({"results": {each: {"result": "ok"} for each in uuids}}).encode())


@pytest.mark.parametrize(("ahead_s", "says"), [(3600.0, "behind"), (-3600.0, "ahead of"), (5.0, ""), (-5.0, "")])
def test_a_wrong_clock_is_told(ahead_s: float, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both directions, and not where answers merely take a while."""
    with Dated(taken, ahead_s) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        found = sent(20)
    assert "trial_arrived" in found.ids
    assert found.complaints == (["clock_skewed"] if says else [])
    if says:
        assert says in found["clock_skewed"]["says"]
        assert "NTP" in found["clock_skewed"]["fix"]


def test_with_a_mistake_in_the_configuration_nothing_is_sent(
    posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That comes first, and the trial says so; the other side is asked all the same."""
    monkeypatch.setenv("OTEL_POSTHOG_SAMPLER", "nope")
    found = sent()
    assert found.complaints == ["setting_refused"]
    assert {"trial_waits", "otlp_taken"} <= set(found.ids)
    assert posthog.requests == []


def test_what_is_off_or_a_preview_opens_no_connection(posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off means off, for the doctor as well."""
    for name, value in (("USAGE_STATS", "false"), ("OTEL_POSTHOG_ENABLED", "preview"), ("DO_NOT_TRACK", "1")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert "trial_not_sent" in sent().ids
    assert posthog.requests == []
