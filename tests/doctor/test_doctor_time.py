"""`otel-posthog doctor --timeout`: when it is over, so is the examination, and what was not reached is told of."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doctored import KEY, Found, doctor, healthy
from grpc_end import grpc_end
from ill_servers import blocked, endless, silent
from silent_dns import silent_dns

from otel_posthog.apps.doctor.connection import Address, failing_step
from otel_posthog.apps.doctor.deadline import LEAST_S, Deadline, TimeOverError
from otel_posthog.apps.doctor.finding import Group
from otel_posthog.apps.doctor.otlp_ends import of_otlp_ends
from otel_posthog.apps.doctor.parts import KINDS, Look
from otel_posthog.testing import OtlpSink
from otel_posthog.testing.server import Answer

COMMAND = [str(Path(sys.executable).with_name("otel-posthog")), "doctor", "--json"]
HTTP = "http/protobuf"

pytestmark = pytest.mark.usefixtures("folder")


@contextmanager
def hanging(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of an app all of whose ends hang, each in its own way."""
    with ExitStack() as stack:
        full, mute = stack.enter_context(blocked()), stack.enter_context(silent())
        slow = stack.enter_context(endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.3))
        over = threading.Event()
        rpc, _ = stack.enter_context(grpc_end(wait=lambda: over.wait(120)))
        stack.callback(over.set)
        hosts = {
            "firewall": f"http://127.0.0.1:{full}", "firewall-tls": f"https://127.0.0.1:{full}",
            "mute": f"http://127.0.0.1:{mute}", "handshake": f"https://127.0.0.1:{mute}",
            "slow": f"http://127.0.0.1:{slow}", "nameless": "https://ph.example.org",
        }  # fmt: skip
        destinations = [{"name": name, "host": host, "api_key": KEY + name} for name, host in hosts.items()]
        policy = folder / "policy.yaml"
        policy.write_text(json.dumps({"destinations": destinations}), encoding="utf-8")
        ends = {"TRACES": f"http://127.0.0.1:{rpc}", "METRICS": f"https://127.0.0.1:{mute}", "LOGS": NAMELESS}
        yield {
            "OTEL_POSTHOG_POLICY": str(policy),
            **{f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT": url for signal, url in ends.items()},
            "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP,
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        }


NAMELESS = "http://otlp.example.org:4318"
HANGS = {
    "trial firewall": "posthog_blocked", "trial firewall-tls": "posthog_blocked", "trial mute": "posthog_silent",
    "trial handshake": "posthog_silent", "trial slow": "posthog_silent", "trial nameless": "posthog_name_silent",
    "OTLP traces": "otlp_silent", "OTLP metrics": "otlp_silent", "OTLP logs": "otlp_name_silent",
}  # fmt: skip


def ran(
    before: list[str], words: list[str], environ: dict[str, str], folder: Path
) -> tuple[float, list[dict[str, str]]]:
    """Return how long the command took, from its start to its end, and what it found."""
    everywhere = {name: value for name, value in os.environ.items() if name != "POSTHOG_API_KEY"}
    started = time.monotonic()
    done = subprocess.run(
        [*before, *COMMAND, *words], env={**everywhere, **environ}, cwd=folder, capture_output=True, timeout=240,
        check=False,
    )  # fmt: skip
    took_s = time.monotonic() - started
    assert done.stderr == b""
    return took_s, json.loads(done.stdout)


@pytest.mark.alone
def test_many_ends_that_hang_take_the_time_that_is_given_and_a_second(folder: Path, tmp_path: Path) -> None:
    """Each kind of end, over each protocol, and a DNS: all of them are told of, and the process is gone then."""
    with silent_dns(tmp_path) as before, hanging(folder) as environ:
        took = []
        for _ in range(3):  # a machine may have something else to do
            base_s, _ = ran(before, [], environ, folder)
            took_s, found = ran(before, ["--send", "--timeout", "6"], environ, folder)
            assert {each["about"]: each["id"] for each in found if each["level"] == "wrong"} == HANGS
            took.append(took_s - base_s)
            if took[-1] <= 6 + 1:
                break
        assert min(took) <= 6 + 1


def fifo(path: Path) -> Path:
    """Make a pipe that nobody writes to: who opens it waits for ever."""
    os.mkfifo(path)
    return path


@contextmanager
def waiting(*pipes: Path) -> Iterator[None]:
    """Let those go who wait for `pipes`, at the end."""
    try:
        yield
    finally:
        for each in pipes:
            with suppress(OSError):
                os.close(os.open(each, os.O_WRONLY | os.O_NONBLOCK))


def not_examined(found: Found) -> dict[str, str]:
    """Return what was not examined, by the kind of finding."""
    return {each["id"]: each["says"] for each in found.findings if each["id"].endswith("_not_examined")}


def test_settings_that_cannot_be_read_to_their_end_hold_up_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What depends on them is named, group by group; what does not is looked at; the exit status is no good news."""
    pipe = fifo(folder / "policy.yaml")
    healthy(monkeypatch, OTEL_POSTHOG_POLICY=str(pipe), OTEL_EXPORTER_OTLP_ENDPOINT="http://")
    with waiting(pipe):
        found = doctor("--send", "--timeout", "4")
    said = not_examined(found)
    assert found.status == 1
    assert {"otlp_no_url", "versions", "integration"} <= set(found.ids)
    assert said.keys() == {
        "configuration_not_examined", "posthog_not_examined", "filters_not_examined", "spool_not_examined",
        "process_not_examined",
    }  # fmt: skip
    assert said["configuration_not_examined"].startswith("settings, collection: the time of 4 s was over")
    assert said["posthog_not_examined"].startswith("destinations, trial: ")
    assert said["spool_not_examined"].startswith("directories, spool: ")


def test_a_part_that_hangs_is_told_of_beside_what_it_has_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that does not answer, as one of a network does, and certificates in a pipe; all else is looked at."""
    over, here, pipe = threading.Event(), tmp_path / "spool", fifo(folder / "ca.pem")
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path) if path != here else over.wait(60))
    here.mkdir(mode=0o700)
    with silent() as port, waiting(pipe):
        end = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"https://127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_CERTIFICATE": str(pipe)}
        healthy(monkeypatch, OTEL_POSTHOG_SPOOL_DIR=str(here), USAGE_STATS="false", **end)
        found = doctor("--send", "--timeout", "4")
        over.set()
    assert found.complaints == ["otlp_not_examined", "spool_not_examined", "off_by_usage_stats"]
    assert not_examined(found)["otlp_not_examined"].startswith("OTLP: the time of 4 s was over")
    assert not_examined(found)["spool_not_examined"].startswith("directories: the time of 4 s was over")
    assert "state directory" in [each["about"] for each in found.findings]


def test_a_pipe_among_the_sources_of_an_app_is_none_of_them(folder: Path) -> None:
    """Nobody waits for somebody to write to it."""
    fifo(folder / "app.py")
    assert doctor("--timeout", "20").complaints == []


def test_every_group_has_words_for_what_was_not_examined() -> None:
    """So that nothing is left out in silence."""
    assert [each.group for each in KINDS] == list(Group)


@dataclass(frozen=True, slots=True)
class Steps(Deadline):
    """A deadline that is over after so many steps, however long they take."""

    begun: list[float] = field(default_factory=list)
    most: int = 0

    def step_s(self, most_s: float = 30.0) -> float:
        """Let a step take its time, or none any more."""
        self.begun.append(most_s)
        if len(self.begun) > self.most:
            raise TimeOverError
        return 30.0


@pytest.mark.parametrize(("protocol", "most"), [("grpc", 2), ("grpc", 3), ("grpc", 4), (HTTP, 2), (HTTP, 3), (HTTP, 4)])
def test_signals_that_were_not_reached_are_not_said_to_be_taken(protocol: str, most: int) -> None:
    """Those before are: a name, a connection, and then signal by signal; whoever looks is told that it was not all."""
    with OtlpSink() as over_http, grpc_end() as (port, _):
        url = over_http.url if protocol == HTTP else f"http://127.0.0.1:{port}"
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        (part,) = of_otlp_ends(environ, Steps(0.0, most=most))
        look = Look(part)
        look.run()
    found = look.found(Deadline.after(0.0))
    assert not look.is_whole
    assert [each.about for each in found] == [[], ["OTLP traces"], ["OTLP traces and metrics"]][most - 2]


class Hung(OtlpSink):
    """An end that takes traces, and hangs with what else comes."""

    over = threading.Event()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer, or wait."""
        if path != "/v1/traces":
            self.over.wait(60)
        return super().answer(path, headers, body)


def test_an_end_that_hangs_with_some_signals_is_told_of_those(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it takes the others is said as well."""
    monkeypatch.setattr("otel_posthog.apps.doctor.otlp_ends.STEP_S", 1.5)
    with Hung() as end:
        healthy(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=end.url, OTEL_EXPORTER_OTLP_PROTOCOL=HTTP, USAGE_STATS="false")
        found = doctor("--send", "--timeout", "20")
        end.over.set()
    assert found["otlp_taken"]["about"] == "OTLP traces"
    assert found["otlp_silent"]["about"] == "OTLP metrics and logs"


def test_a_step_is_not_begun_with_too_little_time() -> None:
    """Who had no time to answer is not told of as silent."""
    with pytest.raises(TimeOverError):
        Deadline.after(LEAST_S / 2).step_s(3.0)
    with silent() as port, pytest.raises(TimeOverError):
        failing_step(Address("127.0.0.1", port, is_tls=True), Deadline.after(0.0))
    assert Deadline.after(60.0).step_s(3.0) == 3.0
    assert 50.0 < Deadline.after(60.0).step_s() <= 60.0


def test_of_the_addresses_of_a_name_one_that_hangs_takes_its_share_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way that is broken for IPv6 leaves time for the other."""
    with blocked() as full, silent() as good:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (full, full, good)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert failing_step(Address("ph.example.org", 80, is_tls=False), Deadline.after(30.0)) is None


def test_an_app_gets_what_time_there_is(folder: Path) -> None:
    """And where there is none, it is not started."""
    (folder / "shop.py").write_text("import time\ntime.sleep(120)\n", encoding="utf-8")
    found = doctor("--app", "shop", "--plain", "--timeout", "3")
    assert found.complaints == ["app_hangs"]
    assert "takes longer than" in found["app_hangs"]["says"]
    said = not_examined(doctor("--app", "shop", "--plain", "--timeout", "0.1"))["process_not_examined"]
    assert "shop" in said.partition(":")[0].split(", ")


def test_an_app_that_leaves_a_process_running_is_through_when_its_import_is(folder: Path) -> None:
    """That one has the app's standard streams, and is nobody's business here."""
    code = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
    (folder / "shop.py").write_text(code, encoding="utf-8")
    found = doctor("--app", "shop", "--plain", "--timeout", "60")
    assert found.complaints == ["app_not_attached"]
