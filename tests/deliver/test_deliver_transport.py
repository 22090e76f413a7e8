"""One request, one answer, through whatever stands between."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from authority import Authority

from otel_posthog.deliver import transport as module
from otel_posthog.deliver.connection import proxy_for
from otel_posthog.deliver.transport import HttpTransport, TlsError, TransportError
from otel_posthog.testing import FakePostHog, Fault

NOBODY = "http://posthog.invalid"
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def answering(answer: bytes, *, keeps_open: bool = False) -> Iterator[str]:
    """A server that says exactly `answer` to one connection, and closes, or leaves that to the client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                while keeps_open and connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def posted(url: str, **headers: str) -> int:
    """Return the status of one request."""
    return HttpTransport().post(url, headers, b"{}", 2.0).status


@pytest.mark.parametrize("status", [200, 400, 413])
def test_the_status_counts_where_the_body_cannot_be_read(status: int) -> None:
    """A broken encoding must not turn a success, or a refusal, into a request that is made for ever."""
    head = f"HTTP/1.1 {status} X\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nbad"
    with answering(head.encode()) as url:
        response = HttpTransport().post(url, {}, b"{}", 2.0)
    assert (response.status, response.body) == (status, b"")


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any answer of PostHog's is not read to its end."""
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 100)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 5000
    with answering(answer, keeps_open=True) as url:
        started = time.monotonic()
        assert len(HttpTransport().post(url, {}, b"{}", 30.0).body) == 100
        assert time.monotonic() - started < 15


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
def test_what_is_no_answer_is_an_error_of_one_kind(answer: bytes) -> None:
    """Closed, not HTTP, cut off."""
    with answering(answer) as url, pytest.raises(TransportError):
        posted(url)


def test_a_refused_connection_is_an_error(fake_posthog: FakePostHog) -> None:
    """Nobody listens."""
    fake_posthog.stop()
    with pytest.raises(TransportError, match="NewConnectionError"):
        posted(fake_posthog.url)


@pytest.mark.parametrize("key", ["phc_x\n", "phc_\u20ac"])
def test_a_key_that_cannot_stand_in_a_header_is_an_error_that_does_not_show_it(
    key: str, fake_posthog: FakePostHog
) -> None:
    """A key with a line's end in it is a common mistake; the error names its kind only."""
    with pytest.raises(TransportError) as caught:
        posted(fake_posthog.url, Authorization=f"Bearer {key}")
    assert "phc_" not in str(caught.value)


def test_a_redirect_is_not_followed(fake_posthog: FakePostHog) -> None:
    """The key goes to the host it is for, and nowhere else."""
    head = f"HTTP/1.1 307 X\r\nLocation: {fake_posthog.url}/batch/\r\nContent-Length: 0\r\n\r\n"
    with answering(head.encode()) as url:
        assert posted(url, Authorization="Bearer phc_x") == 307
    assert fake_posthog.requests == []


def test_one_connection_serves_many_requests(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept alive, also after an answer that is an error."""
    made: list[object] = []
    monkeypatch.setattr("urllib3.util.connection.socket.socket", _counted(socket.socket, made))
    fake_posthog.fault(Fault(status=503))
    transport = HttpTransport()
    for _ in range(4):
        transport.post(fake_posthog.url + "/batch/", {}, b"{}", 2.0)
    assert len(fake_posthog.requests) == 4
    assert len(made) == 1


def _counted(kind: type[socket.socket], made: list[object]) -> type[socket.socket]:
    class Counted(kind):  # type: ignore[misc,valid-type]
        def connect(self, address: object) -> None:
            made.append(address)
            super().connect(address)

    return Counted


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_environments_proxy_is_used(
    scheme: str, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without a scheme, as curl and requests take it."""
    monkeypatch.setenv("http_proxy", fake_posthog.url.replace("http://", scheme))
    assert posted(NOBODY + "/batch/") == 404
    assert fake_posthog.requests[0].path == NOBODY + "/batch/"


def test_a_proxy_gets_its_login(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the proxy's URL, percent-decoded."""
    monkeypatch.setenv("http_proxy", fake_posthog.url.replace("://", "://me:p%40w@"))
    posted(NOBODY + "/batch/")
    assert fake_posthog.requests[0].headers["proxy-authorization"] == "Basic bWU6cEB3"


@pytest.mark.parametrize("bypass", ["127.0.0.1", "127.0.0.1:{port}", "*"])
def test_no_proxy_is_honoured(bypass: str, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """By host, by host and port, by star."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", bypass.format(port=fake_posthog.url.rpartition(":")[2]))
    assert posted(fake_posthog.url + "/elsewhere") == 404
    assert fake_posthog.requests[0].path == "/elsewhere"


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "192.168.0.0/16, 10.1.2.0/24"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3:8000", "localhost 10.1.0.0/16"),
        ("[fd00::1]", "fd00::/8"),
        ("[fd00::1]:8000", "[fd00::]/8"),
        ("[::1]", "::1"),
        ("posthog.example.org", "example.org"),
        ("posthog.example.org", ".example.org"),
        ("posthog.example.org", "*.example.org"),
        ("POSTHOG.example.org", "a,*.Example.org"),
    ],
)
def test_no_proxy_takes_out_networks_and_domains(host: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As requests, Go and curl read the variable, between commas or spaces."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_for(f"http://{host}/batch/") == ""


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        ("10.1.2.3", "11.0.0.0/8"),
        ("10.1.2.3", "fd00::/8"),
        ("10.1.2.3", "10.1.2.0/40, /8, nonsense/x"),
        ("posthog.example.org", "10.0.0.0/8"),
        ("posthog.example.org", "ample.org, *. , example.org.evil"),
        ("[fd00::1]", "10.0.0.0/8"),
    ],
)
def test_no_proxy_takes_nothing_else_out(host: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A neighbour's network, a half name, what is no network at all."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_for(f"http://{host}/batch/") == "http://127.0.0.1:1"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that nothing on this machine believes."""
    for name in BUNDLES:
        monkeypatch.delenv(name, raising=False)
    return Authority(tmp_path / "authority")


def tls_error(url: str) -> str:
    """Return what a request to `url` fails with, in words."""
    with pytest.raises(TlsError) as caught:
        posted(url)
    return str(caught.value)


def test_tls_says_what_is_wrong(authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each in fixed words, none with a name or path of the other side's: who is to mend it finds it in the log."""
    with FakePostHog(tls=authority.server("DNS:posthog.example")) as server:
        assert tls_error(server.url) == "certificate not accepted: unable to get local issuer certificate"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
        assert tls_error(server.url) == "the certificate is for another host"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
        assert tls_error(server.url) == "the certificates of REQUESTS_CA_BUNDLE cannot be read"
        (tmp_path / "empty.pem").write_text("nothing")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
        assert tls_error(server.url) == "no certificate or crl found"
    with FakePostHog() as server:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        assert tls_error(server.url.replace("http:", "https:")) == "wrong version number"


@pytest.mark.parametrize("variable", BUNDLES)
def test_tls_believes_whom_the_environment_names(
    variable: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, or a folder as OpenSSL wants it; the variable of requests wins over curl's."""
    monkeypatch.setenv(variable, str(authority.certificate))
    if variable == "REQUESTS_CA_BUNDLE":
        monkeypatch.setenv("CURL_CA_BUNDLE", "/nowhere")
    with FakePostHog(tls=authority.server("IP:127.0.0.1")) as server:
        assert posted(server.url + "/elsewhere") == 404
        monkeypatch.setenv(variable, str(authority.hashed_folder()))
        assert posted(server.url + "/elsewhere") == 404


def test_tls_that_breaks_off_is_no_setting(authority: Authority) -> None:
    """A server that closes in the middle of the handshake may have restarted: it is tried again like any other."""
    with answering(b"") as url, pytest.raises(TransportError) as caught:
        posted(url.replace("http:", "https:"))
    assert not isinstance(caught.value, TlsError)
