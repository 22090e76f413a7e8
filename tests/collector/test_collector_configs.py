"""Every shipped configuration is accepted by a real Collector, which also starts with it."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from collector import CONFIG, STACK, collector, validate
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_posthog.apps.gateway.command import add_arguments

BASE = ("base", "privacy")
GRAFANA = [(), ("lgtm",), ("persistent-grafana",), ("lgtm", "persistent-grafana")]
POSTHOG = [
    (*kafka, *persistent)
    for kafka in ((), ("kafka-out",), ("kafka-in",), ("kafka-in", "kafka-out"))
    for persistent in ((), ("persistent-posthog",))
]
LAYERS = [
    *((*BASE, "grafana", *further) for further in GRAFANA),
    *((*BASE, "posthog", *further) for further in POSTHOG),
    *((*STACK, *grafana, *posthog) for grafana in GRAFANA for posthog in POSTHOG),
    (*BASE, "grafana", "kafka-in"),
    (*BASE, "kafka-in"),
    ("base", "grafana", "exact"),
    ("base", "grafana", "lgtm", "persistent-grafana", "exact"),
    (*STACK, "exact"),
    (*STACK, "lgtm", "persistent-grafana", "persistent-posthog", "exact"),
]
"""All that somebody may want, each side with everything that goes behind it."""

REFUSED = [
    (("base", "grafana"), 'references processor "filter/operational" which is not configured'),
    (("base", "posthog"), 'references processor "filter/product" which is not configured'),
    (("privacy", "grafana"), "no receiver configuration specified in config"),
    (BASE, "service must have at least one pipeline"),
    ((*BASE, "lgtm"), "service must have at least one pipeline"),
    ((*BASE, "grafana", "both"), 'references exporter "forward/product" which is not configured'),
    ((*BASE, "posthog", "both"), 'references exporter "forward/operational" which is not configured'),
    ((*BASE, "grafana", "posthog"), 'connector "forward/operational" used as receiver'),
    ((*BASE, "both", "grafana", "posthog"), 'connector "forward/operational" used as receiver'),
    ((*BASE, "posthog", "persistent-grafana"), "otlp_http/tempo: at least one endpoint must be specified"),
    ((*BASE, "grafana", "persistent-posthog"), "otlp_http/gateway: at least one endpoint must be specified"),
    ((*BASE, "grafana", "kafka-out"), "traces/product: must have at least one receiver"),
    ((*BASE, "grafana", "kafka-out", "posthog", "both"), "batch/kafka_out_is_behind_posthog"),
    ((*BASE, "lgtm", "grafana"), "batch/lgtm_is_behind_grafana"),
    ((*BASE, "persistent-grafana", "grafana"), "batch/persistent_grafana_is_behind_base_and_grafana"),
    ((*BASE, "persistent-posthog", "posthog"), "batch/persistent_posthog_is_behind_base_posthog_and_kafka_out"),
    (
        (*BASE, "posthog", "persistent-posthog", "kafka-out"),
        "batch/persistent_posthog_is_behind_base_posthog_and_kafka_out",
    ),
    ((*BASE, "exact", "grafana"), "batch/exact_is_behind_grafana_and_lgtm"),
    ((*BASE, "grafana", "exact", "lgtm"), "batch/exact_is_behind_grafana_and_lgtm"),
]
"""Layers that lack what they need, or come in the wrong order, and what the Collector says."""


def starts(layers: tuple[str, ...], directory: Path) -> str:
    """Return what is wrong with a Collector of these layers; empty where it is healthy and has logged no error.

    Starting validates too. A Kafka that is not there is no fault of the layers.
    """
    try:
        with collector(*layers, environ={"QUEUE_DIRECTORY": str(directory)}) as made:
            return made.tree.out if "\terror\t" in made.tree.out and "kafka" not in str(layers) else ""
    except AssertionError as error:
        return str(error)


def test_each_combination_starts(tmp_path: Path) -> None:
    """Each is built, started, and says that it is healthy."""
    with ThreadPoolExecutor(4) as side_by_side:
        said = side_by_side.map(lambda each: starts(each, tmp_path / "+".join(each)), LAYERS)
        assert {each: what for each, what in zip(LAYERS, said, strict=True) if what} == {}


@pytest.mark.parametrize("layers", [STACK, (*STACK, "lgtm", "persistent-grafana", "persistent-posthog", "kafka-in")])
def test_validate_says_nothing(layers: tuple[str, ...]) -> None:
    """The Collector's own `validate`, for CI of who uses the layers."""
    assert validate(*layers) == ""


@pytest.mark.parametrize(("layers", "message"), REFUSED, ids=["+".join(each) for each, _ in REFUSED])
def test_what_does_not_fit_is_refused(layers: tuple[str, ...], message: str) -> None:
    """With a line that says what is missing."""
    assert message in validate(*layers)


WHOLE = (*STACK, "kafka-out", "kafka-in", "lgtm", "persistent-grafana", "persistent-posthog", "exact")


def _merged(layers: tuple[str, ...]) -> dict[str, Any]:
    """Return what a Collector makes of layers: maps key by key, of all else the last."""

    def onto(below: Any, above: Any) -> Any:
        if not (isinstance(below, dict) and isinstance(above, dict)):
            return above
        return {**below, **{key: onto(below.get(key), value) for key, value in above.items()}}

    made: dict[str, Any] = {}
    for each in layers:
        made = onto(made, _read(each))
    return made


@cache
def _read(layer: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CONFIG / f"{layer}.yaml").read_text("utf-8")))


def test_no_order_that_undoes_a_layer_starts() -> None:
    """Each layer before each that it stands behind, in the whole order: the same Collector, or one that is refused."""
    orders = set()
    for whole in (
        WHOLE,
        tuple(each for each in WHOLE if each not in {"both", "posthog", "kafka-out", "persistent-posthog"}),
    ):
        for later in range(len(whole)):
            for earlier in range(later):
                order = (*whole[:earlier], whole[later], *whole[earlier:later], *whole[later + 1 :])
                if _merged(order) != _merged(whole):
                    orders.add(order)
    assert len(orders) > 20
    # Those above are refused for what is looked for here; of the others the Collector is asked.
    assert [each for each in sorted(orders) if not _is_kept_from_starting(each) and not validate(*each)] == []


def _is_kept_from_starting(layers: tuple[str, ...]) -> bool:
    sizes = [each for name, each in _merged(layers)["processors"].items() if "_is_behind_" in name]
    return any(0 < each.get("send_batch_max_size", 0) < each["send_batch_size"] for each in sizes)


def test_every_file_is_in_a_combination() -> None:
    """None is shipped that no test has started."""
    assert {path.stem for path in CONFIG.glob("*.yaml")} - {"builder-manifest"} == {
        each for one in LAYERS for each in one
    }


def test_what_comes_from_kafka_is_filtered_as_what_comes_from_apps() -> None:
    """The steps of the two layers are the same, behind the limit to memory."""
    apps, kafka = (
        yaml.safe_load((CONFIG / f"{each}.yaml").read_text("utf-8"))["service"]["pipelines"]
        for each in ("posthog", "kafka-in")
    )
    for signal in ("traces", "logs"):
        assert kafka[f"{signal}/from_kafka"]["processors"] == [
            "memory_limiter",
            *apps[f"{signal}/product"]["processors"],
        ]


@pytest.mark.parametrize("layer", ["grafana", "posthog", "kafka-out"])
def test_no_queue_in_memory_is_full_before_the_door_refuses(layer: str) -> None:
    """Each is measured in bytes and holds as many as the limit to memory has."""
    exporters = yaml.safe_load((CONFIG / f"{layer}.yaml").read_text("utf-8"))["exporters"]
    for name, exporter in exporters.items():
        queue = exporter["sending_queue"]
        assert (queue["sizer"], queue["queue_size"]) == ("bytes", "${yaml:${env:MEMORY_LIMIT_MIB:-512}000000}"), name


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
