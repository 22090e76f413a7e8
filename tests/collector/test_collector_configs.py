"""Every shipped configuration is accepted by a real Collector, which also starts with it."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from collector import CONFIG, STACK, collector, validate
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_posthog.apps.gateway.command import add_arguments

LAYERS = [
    ("base", "privacy", "grafana"),
    ("base", "privacy", "posthog"),
    STACK,
    (*STACK, "persistent"),
    ("base", "privacy", "posthog", "persistent-posthog"),
    ("base", "privacy", "grafana", "lgtm"),
    (*STACK, "lgtm", "persistent"),
    (*STACK, "kafka-out"),
    ("base", "privacy", "posthog", "kafka-in"),
]


@pytest.mark.parametrize("layers", LAYERS, ids="+".join)
def test_it_validates_and_starts(layers: tuple[str, ...], tmp_path: Path) -> None:
    """`validate` builds components and starts none, so the Collector is started as well and says that it is healthy."""
    assert validate(*layers) == ""
    with collector(*layers, environ={"QUEUE_DIRECTORY": str(tmp_path)}) as made:
        assert "error" not in made.tree.out.lower()


def test_every_file_is_in_a_combination() -> None:
    """None is shipped that no test has started."""
    assert {path.stem for path in CONFIG.glob("*.yaml")} - {"builder-manifest"} == {
        each for one in LAYERS for each in one
    }


def test_without_the_privacy_layer_nothing_starts() -> None:
    """A pipeline names the processors it needs: forgetting the file cannot let data through."""
    said = validate(*(each for each in STACK if each != "privacy"))
    assert "references processor" in said


def test_no_batch_for_the_gateway_is_larger_than_it_takes() -> None:
    """The smallest product item is a span event of a time and a name: as many as fit into a batch are taken."""
    exporter = yaml.safe_load((CONFIG / "posthog.yaml").read_text("utf-8"))["exporters"]["otlp_http/gateway"]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    limits = parser.parse_args([])
    smallest = Span.Event(time_unix_nano=1, name="analytics.e").ByteSize()
    most_bytes = exporter["sending_queue"]["batch"]["max_size"]
    assert most_bytes / smallest < limits.max_items
    assert most_bytes < limits.max_body_bytes


def test_every_file_says_what_it_is_for() -> None:
    """The first lines are a comment."""
    for path in CONFIG.glob("*.yaml"):
        assert path.read_text("utf-8").startswith("# "), path.name


@pytest.mark.parametrize(("form", "name"), [("otel", "privacy.yaml"), ("alloy", "alloy/config.alloy")])
def test_the_shipped_files_are_what_the_command_prints(form: str, name: str) -> None:
    """For the built-in policy."""
    command = [str(Path(sys.executable).with_name("otel-posthog")), "collector-config", "--format", form]
    done = subprocess.run(
        [*command, "--check", str(CONFIG / name)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), "renew it: make policy"


def test_everything_of_the_private_steps_fails_closed() -> None:
    """`transform` and `filter` ignore errors unless they are told otherwise."""
    processors = yaml.safe_load((CONFIG / "privacy.yaml").read_text("utf-8"))["processors"]
    for name, each in processors.items():
        if name.startswith(("filter/", "transform/")):
            assert each["error_mode"] == "propagate", name


def test_every_component_of_alloy_leads_to_one_that_is_there() -> None:
    """Alloy itself could not be had: what can be told without it is that blocks are closed and names are known."""
    text = (CONFIG / "alloy" / "config.alloy").read_text("utf-8")
    defined = {f"{kind}.{label}" for kind, label in re.findall(r'^(otelcol[a-z_.]+) "(\w+)" \{$', text, re.MULTILINE)}
    named = {each.removesuffix(".input") for each in re.findall(r"otelcol[a-z_.]+\.input", text)}
    assert named == defined - {"otelcol.receiver.otlp.default"}
    lines = text.splitlines()
    assert sum(line.endswith("{") for line in lines) == sum(line.strip() == "}" for line in lines)
    assert sum(line.endswith("= [") for line in lines) == sum(line.strip() == "]" for line in lines)
