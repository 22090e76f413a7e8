"""The quick starts, as a reader follows them: the files, the commands in a shell, the output that the page shows."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from collector import binary, validate
from instrumented import NOT_NEEDED
from needs import needs
from pages import DOCS, ROOT, Block, blocks_of, lasting, terminal
from ports import free_port
from processes import running

from otel_posthog.testing import OtlpSink

# Page -> the instrumentations that it is about.
SERVERS = {"flask": "flask", "django": "django", "fastapi": "fastapi,asgi"}
# Celery puts its own words in front.
_EVENT = re.compile(r"^(?:\[.*\] )?(-> default: .*\n(?: {5}.*\n)+)", re.MULTILINE)
NEEDED = {**SERVERS, "queues": "celery"}


def followed(name: str, directory: Path) -> tuple[list[Block], dict[str, str]]:
    """Write a page's files; return its blocks and the environment of who follows it.

    Args:
        name: The page.
        directory: Where the reader is.
    """
    blocks = blocks_of(DOCS / "quickstart" / f"{name}.md")
    for each in blocks:
        if each.file_name:
            (directory / each.file_name).write_text(each.text, encoding="utf-8")
    needed = NEEDED.get(name, "").split(",")
    left_out = ",".join(each for each in NOT_NEEDED.split(",") if each not in needed)
    variables = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": left_out, "PYTHONUNBUFFERED": "1"}
    return blocks, terminal(directory, **variables)


def command(blocks: list[Block], word: str) -> str:
    """Return the first shell block with a line that begins with `word`."""
    shell = (each.text for each in blocks if each.language == "sh")
    return next(text for text in shell if re.search(rf"^{word}", text, re.MULTILINE))


def as_shown(blocks: list[Block], out: str) -> bool:
    """Return whether the one event that is printed in an output is the one that a page shows.

    With `DOCS_UPDATE=1` in the environment the page is made to show it.
    """
    (found,) = _EVENT.findall(out)
    (shown,) = [each for each in blocks if each.language == "text"]
    if os.environ.get("DOCS_UPDATE"):
        path = ROOT / shown.page
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"```text\n{shown.text}", f"```text\n{found}"), encoding="utf-8")
    return lasting(str(found)) == lasting(shown.text)


@pytest.mark.parametrize("name", SERVERS)
def test_a_web_app_shows_its_event(name: str, tmp_path: Path) -> None:
    """Started as the page says and asked as the page says, it prints the event that the page shows, and no other."""
    blocks, environ = followed(name, tmp_path)
    port = free_port()
    start = command(blocks, "opentelemetry-instrument ").replace("8000", str(port))
    start = start.replace("\nopentelemetry-instrument", "\nexec opentelemetry-instrument")
    ask = command(blocks, "curl ").replace("localhost:8000", f"localhost:{port}")
    ask = ask.replace("curl", "curl -sS --retry 90 --retry-delay 1 --retry-connrefused")
    with running("bash", "-c", start, environ=environ, cwd=tmp_path) as tree:
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=120, check=False)
        assert "created" in done.stdout, done.stdout + done.stderr + tree.out
        tree.wait_for(r"process_person_profile +false")
        assert as_shown(blocks, tree.out), tree.out
        assert "ada@example.org" not in tree.out


def test_a_program_shows_its_event(tmp_path: Path) -> None:
    """It prints the event that the page shows, and ends well."""
    blocks, environ = followed("python", tmp_path)
    words = ["bash", "-c", command(blocks, "opentelemetry-instrument ")]
    done = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert as_shown(blocks, done.stderr), done.stderr


def test_the_gateway_shows_an_event_that_curl_sends(tmp_path: Path) -> None:
    """Started and asked as the page says, it prints the event that the page shows."""
    blocks, environ = followed("other-languages", tmp_path)
    port = str(free_port())
    start = command(blocks, "export OTEL_POSTHOG_ENABLED=console").replace("4318", port)
    start = start.replace("\notel-posthog", "\nexec otel-posthog")
    ask = command(blocks, "curl ").replace("4318", port)
    ask = ask.replace("curl", "curl -sS --fail --retry 90 --retry-delay 1 --retry-connrefused")
    with running("bash", "-c", start, environ=environ, cwd=tmp_path) as tree:
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr + tree.out
        tree.wait_for(r"process_person_profile +false")
        assert as_shown(blocks, tree.out), tree.out


def test_a_task_shows_its_event(tmp_path: Path) -> None:
    """With a real Redis: the worker prints the event that the page shows."""
    redis = needs("redis-server", "tasks go through it")
    blocks, environ = followed("queues", tmp_path)
    port = str(free_port())
    tasks = tmp_path / "tasks.py"
    tasks.write_text(tasks.read_text(encoding="utf-8").replace("localhost:6379", f"127.0.0.1:{port}"), encoding="utf-8")
    work = command(blocks, "opentelemetry-instrument celery")
    ask = command(blocks, "opentelemetry-instrument python")
    work = work.replace("\nopentelemetry-instrument", "\nexec opentelemetry-instrument")
    server = [redis, "--port", port, "--save", "", "--bind", "127.0.0.1"]
    with (
        running(*server, environ=environ, cwd=tmp_path),
        running("bash", "-c", work, environ=environ, cwd=tmp_path) as tree,
    ):
        done = subprocess.run(
            ["bash", "-c", ask], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith("Usage statistics in preview"), done.stderr
        assert "Failed to export" not in done.stderr
        tree.wait_for(r"process_person_profile +false")
        assert as_shown(blocks, tree.out), tree.out


def test_a_collector_sends_each_side_its_own(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """The real one, started and asked as the page says: the gateway prints the event, and the backend has the span."""
    assert binary()
    blocks, environ = followed("collector", tmp_path)
    http, grpc, health, port = (str(free_port()) for _ in range(4))
    # What a page's reader has to himself, and a test has not; and one trace in ten would be kept, in ten seconds.
    environ |= {f"OTLP_{name}_ENDPOINT": f"127.0.0.1:{each}" for name, each in (("HTTP", http), ("GRPC", grpc))}
    environ |= {"HEALTH_ENDPOINT": f"127.0.0.1:{health}", "OTEL_POSTHOG_GATEWAY_ENDPOINT": f"http://127.0.0.1:{port}"}
    environ |= {"KEPT_TRACES_PERCENT": "100", "SAMPLING_DECISION_WAIT": "1s"}
    show = command(blocks, "export OTEL_POSTHOG_ENABLED=console").replace("14318", port)
    separate = re.sub(r"http://(?:tempo|loki|prometheus):[\w/]+", otlp_sink.url, command(blocks, "otelcol-posthog "))
    separate = f'set -e\n{separate.rstrip()} --config "yaml:service::telemetry::metrics::level: none"'
    ask = command(blocks, "curl ").replace("localhost:4318", f"127.0.0.1:{http}")
    with (
        running("bash", "-c", show, environ=environ, cwd=tmp_path) as gateway,
        running("bash", "-c", separate, environ=environ, cwd=ROOT) as collector,
    ):
        collector.wait_for("Everything is ready. Begin running and processing data")
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=120, check=False)
        assert "partialSuccess" in done.stdout, done.stderr + collector.out
        gateway.wait_for(r"process_person_profile +false")
        assert as_shown(blocks, gateway.out), gateway.out
        (span,) = otlp_sink.wait_for_spans(1, 120)
    assert (span.name, span.attributes) == ("create ticket", {})
    assert "Everything is ready. Begin running and processing data." in (DOCS / "quickstart/collector.md").read_text()


def test_a_collector_has_filters_of_ones_own_policy(tmp_path: Path) -> None:
    """What the page's commands make of its policy is up to date and other than ours, and the Collector takes it."""
    blocks, environ = followed("collector", tmp_path)
    words = ["bash", "-e", "-c", command(blocks, "otel-posthog collector-config")]
    done = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "privacy.yaml"
    assert made.read_bytes() != (ROOT / "collector-config" / "privacy.yaml").read_bytes()
    assert validate("base", made, "grafana", "posthog", "both") == ""
