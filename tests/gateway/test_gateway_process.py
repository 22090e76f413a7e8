"""The gateway as a process: how it starts, refuses to start, stops, and what a kill takes along."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gateway import Gateway, gateway, logs_request
from ports import free_port

from otel_posthog.testing import FakePostHog, OtlpSink

COMMAND = str(Path(sys.executable).with_name("otel-posthog"))


def start(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends by itself."""
    words = [COMMAND, "gateway", *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        ((), {}, "a gateway needs POSTHOG_API_KEY (phc_...)"),
        (("--host", "0.0.0.0"), {"POSTHOG_API_KEY": "phc_x"}, "there are no tokens; put some into "),
        (("--tokens-file", "/no/file"), {"POSTHOG_API_KEY": "phc_x"}, "--tokens-file /no/file cannot be read: "),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_POSTHOG_GATEWAY_TOKENS": "short"}, "a token must be 16 or more ASCII"),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_POSTHOG_UUID_KEY": "k" * 31}, "the key of uuids must be 32 or more"),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_POSTHOG_UUID_KEY": '"' * 40}, "the key of uuids must be 32 or more"),
        (("--uuid-key-file", "/no/file"), {"POSTHOG_API_KEY": "phc_x"}, "--uuid-key-file /no/file cannot be read: "),
        (("--cors-origin", "app.example.com"), {"POSTHOG_API_KEY": "phc_x"}, "--cors-origin must be like https://"),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_POSTHOG_SPOOL_DIR": "/proc/x"}, "the spool /proc/x cannot be written"),
        (("--policy", "/no/policy.yaml"), {"POSTHOG_API_KEY": "phc_x"}, "/no/policy.yaml"),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_PROPAGATORS": "b3"}, "OpenTelemetry cannot start with its OTEL_* var"),
        ((), {"POSTHOG_API_KEY": "phc_x", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"}, "non-negative integer but got x"),
        (
            (),
            {
                "POSTHOG_API_KEY": "phc_x",
                "OTEL_METRICS_EXEMPLAR_FILTER": "often",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            },
            "Unknown exemplar filter 'often'",
        ),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], environ: dict[str, str], line: str, tmp_path: Path) -> None:
    """What is wrong and what to write instead, before anything listens."""
    done = start(*arguments, environ={"OTEL_POSTHOG_STATE_DIR": str(tmp_path), **environ})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("otel-posthog gateway: ")
    assert line in done.stderr


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """It names the option."""
    with FakePostHog() as taken:
        port = taken.url.rpartition(":")[2]
        environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path), "POSTHOG_API_KEY": "phc_x"}
        done = start("--port", port, environ=environ)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "choose another --port" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_well(number: signal.Signals, tmp_path: Path) -> None:
    """It ends with 0, no traceback, and what PostHog does not have stays for the next one."""
    with FakePostHog() as posthog:
        posthog.pause()
        with gateway(posthog=posthog.url, directory=tmp_path, grpc=True) as made:
            assert made.post("/v1/logs", logs_request("kept").SerializeToString())[0] == 200
            assert made.tree.end(number) == 0
            assert "Traceback" not in made.tree.out
        posthog.resume()
        with gateway(posthog=posthog.url, directory=tmp_path):
            assert [each.event for each in posthog.wait_for(1)] == ["kept"]


def test_several_workers_share_the_ports_and_have_a_spool_each(tmp_path: Path) -> None:
    """All is delivered, all of them end, and none takes another's directory."""
    with (
        FakePostHog() as posthog,
        gateway("--workers", "2", posthog=posthog.url, directory=tmp_path, grpc=True) as made,
    ):
        for number in range(20):
            assert made.post("/v1/logs", logs_request("e", first=number).SerializeToString())[0] == 200
        assert len({each.uuid for each in posthog.wait_for(20)}) == 20
        assert posthog.duplicates == 0
        assert made.tree.end() == 0
        made.tree.wait_until_alone()


def test_a_kill_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Every event of a request that was answered with success arrives, through the next gateway."""
    acknowledged: list[int] = []

    def load(made: Gateway) -> None:
        for number in range(0, 100_000, 20):
            try:
                status, _, _ = made.post("/v1/logs", logs_request(*["e"] * 20, first=number).SerializeToString())
            except OSError:
                return
            if status == 200:
                acknowledged.extend(range(number, number + 20))

    with FakePostHog() as posthog:
        with gateway(posthog=posthog.url, directory=tmp_path) as made:
            thread = threading.Thread(target=load, args=(made,))
            thread.start()
            posthog.wait_for(500)
            made.tree.end(signal.SIGKILL)
            thread.join(60)
        with gateway(posthog=posthog.url, directory=tmp_path):
            assert len(acknowledged) >= 500
            assert posthog.wait_until(lambda: len(posthog.unique_events) >= len(acknowledged), 30)
        times = {each.timestamp for each in posthog.unique_events}
    assert len(times) >= len(acknowledged)


@pytest.mark.parametrize("shared", ["the same installation", "a file", "the environment", "nothing"])
def test_gateways_with_one_key_make_one_uuid_of_a_log_record(shared: str, tmp_path: Path) -> None:
    """An installation keeps its key; two installations are given one, and make different uuids without."""
    (tmp_path / "key").write_text(f"{'k' * 40}\n")
    options = ("--uuid-key-file", str(tmp_path / "key")) if shared == "a file" else ()
    key = "j" * 40 if shared == "the environment" else ""
    body = logs_request("e").SerializeToString()
    with FakePostHog() as posthog:
        for number in range(2):
            directory = tmp_path if shared == "the same installation" else tmp_path / str(number)
            with gateway(*options, posthog=posthog.url, directory=directory, OTEL_POSTHOG_UUID_KEY=key) as made:
                assert made.post("/v1/logs", body)[0] == 200
                made.tree.end()
        assert len(posthog.named("e")) == 2
        assert len({each.uuid for each in posthog.named("e")}) == (2 if shared == "nothing" else 1)


def test_its_own_metrics_go_to_the_named_endpoint(tmp_path: Path) -> None:
    """Requests and items by what became of them, beside what an app counts too."""
    with FakePostHog() as posthog, OtlpSink() as sink:
        with gateway(posthog=posthog.url, directory=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url) as made:
            made.post("/v1/logs", logs_request("e").SerializeToString())
            made.post("/v1/logs", b"\xff")
            posthog.wait_for(1)
            made.tree.end()
        metrics = {each.name: each for each in sink.metrics}
    assert metrics["otel_posthog.gateway.items"].points == [({"outcome": "product", "reason": ""}, 1)]
    statuses = {
        point["http.response.status_code"]: point for point, _ in metrics["http.server.request.duration"].points
    }
    assert statuses.keys() == {200, 400}
    assert statuses[200]["http.route"] == "/v1/logs"
    assert {"otel_posthog.events", "otel_posthog.spool.size"} <= metrics.keys()
    assert metrics["otel_posthog.events"].resource["service.name"] == "otel-posthog-gateway"


@pytest.mark.parametrize(
    ("policy", "most"),
    [
        ("delivery: {max_batch_events: 100}", 100),
        ("delivery: {max_batch_events: 7}", 7),
        ("delivery: {}", 500),
        ("", 500),
    ],
)
def test_batches_are_as_large_as_the_policy_says(policy: str, most: int, tmp_path: Path) -> None:
    """Also where it says what an app's default is; a gateway's own holds where it says nothing."""
    (tmp_path / "policy.yaml").write_text(f"{policy}\n")
    options = ("--policy", str(tmp_path / "policy.yaml")) if policy else ()
    with FakePostHog() as posthog, gateway(*options, posthog=posthog.url, directory=tmp_path) as made:
        assert made.post("/v1/logs", logs_request(*["e"] * 600).SerializeToString())[0] == 200
        posthog.wait_for(600)
        made.tree.end()
        assert max(len(json.loads(each.body)["batch"]) for each in posthog.requests) == most


def test_a_preview_sends_nothing(tmp_path: Path) -> None:
    """It takes requests, counts, and needs no key."""
    with FakePostHog() as posthog:
        with gateway(
            posthog=posthog.url, directory=tmp_path, OTEL_POSTHOG_ENABLED="preview", POSTHOG_API_KEY=""
        ) as made:
            assert made.post("/v1/logs", logs_request("e").SerializeToString())[0] == 200
            assert "product events are printed here and go nowhere (preview)" in made.tree.out
            assert "events wait" not in made.tree.out
            made.tree.end()
        assert not posthog.unique_events


def test_the_port_of_grpc_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """Before any worker starts."""
    with FakePostHog() as taken:
        port = taken.url.rpartition(":")[2]
        environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path), "POSTHOG_API_KEY": "phc_x"}
        done = start("--port", str(free_port()), "--grpc-port", port, environ=environ)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "choose another --grpc-port" in done.stderr


def test_exceptions_of_an_app_with_this_package_are_not_made_events_again(tmp_path: Path) -> None:
    """What it has exported bears a mark; of another app's the policy makes events."""
    (tmp_path / "policy.yaml").write_text("exceptions: {mode: type, recorded_on: all}\n")
    request = logs_request("a", "b", exception__type="KeyError")
    first, second = request.resource_logs[0].scope_logs[0].log_records
    first.event_name = second.event_name = ""
    first.attributes.add(key="otel_posthog.processed").value.bool_value = True
    with FakePostHog() as posthog:
        options = ("--policy", str(tmp_path / "policy.yaml"))
        with gateway(*options, posthog=posthog.url, directory=tmp_path) as made:
            assert made.post("/v1/logs", request.SerializeToString())[0] == 200
            posthog.wait_for(1)
            made.tree.end()
        assert [each.event for each in posthog.unique_events] == ["$exception"]
