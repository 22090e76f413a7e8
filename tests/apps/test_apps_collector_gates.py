"""The gates of the Collector's stages: they spare what holds nothing, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from parity_kinds import kinds

from otel_posthog.apps.collector_config.formats import collector_config
from otel_posthog.apps.collector_config.operational import operational_processors
from otel_posthog.apps.collector_config.patterns import MARK
from otel_posthog.apps.collector_config.product import kafka_processors
from otel_posthog.apps.collector_config.stages import Stage, stages
from otel_posthog.policy import Policy, PrivacyPolicy

CONFIG = Path(__file__).parents[2] / "collector-config"
POLICY = PrivacyPolicy()
STAGES = {each.name: each for each in stages(POLICY.detectors, POLICY.sensitive_keys, POLICY.id_keys)}
# What most items of a web app have.
USUAL = (
    "GET", "GET /tickets/{id}", "/tickets/1234", "shop.example.com", "1.4.2", "https", "EUR", "accept", "ip-10-0-3-7",
    "order ORD-123 of 34.56 EUR was accepted", "java", "checkout",
)  # fmt: skip
# A path has a slash, a host two dots, and `1.4.2` and `ip-10-0-3-7` have two as well.
SEARCHED = {"paths": 2, "network": 4, "headers": 2, "labelled": 1, "codes": 1}


def _of_python(pattern: str) -> re.Pattern[str]:
    """Return an expression of RE2 as Python writes it."""
    for theirs, ours in ((r"\x{e000}", MARK[0]), (r"\x{80}-\x{10ffff}", "\x80-\U0010ffff"), (r"\z", r"\Z")):
        pattern = pattern.replace(theirs, ours)
    pattern = re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), pattern)
    pattern = pattern.replace(r"\p{Han}", "[\u4e00-\u9fff]").replace(r"[^\pL]", r"[\W\d_]").replace(r"\pL\pN", r"\w")
    return re.compile(pattern.replace(r"\pL", r"\w"), re.ASCII if r"[\w-]" in pattern else 0)


def _is_spared(stage: Stage, text: str) -> bool:
    return any(_of_python(gate).search(MARK + text) for gate in stage.gates)


@pytest.mark.parametrize("name", STAGES)
def test_no_gate_spares_what_its_stage_finds(name: str) -> None:
    """Of each kind that the detectors' tables have: where an expression of a stage finds it, the stage is tried."""
    patterns = [_of_python(each) for each in STAGES[name].patterns]
    texts = [text for text, _ in kinds().values()]
    found = [text for text in texts if any(each.search(MARK + text) for each in patterns)]
    assert found
    assert [text for text in found if _is_spared(STAGES[name], text)] == []


def test_gates_spare_what_most_items_have() -> None:
    """So that a stage costs a tenth of what its expressions would."""
    searched = {name: sum(not _is_spared(stage, text) for text in USUAL) for name, stage in STAGES.items()}
    assert {name: count for name, count in searched.items() if count} == SEARCHED


def test_usual_keys_are_looked_up_unless_the_policy_means_them() -> None:
    """A word of the policy takes them off the list again."""
    usual = operational_processors(Policy())["redaction/operational_keys"]["ignored_keys"]
    assert {"http.route", "service.name", "otel_posthog.held.body"} <= set(usual)
    words = PrivacyPolicy(sensitive_keys=POLICY.sensitive_keys | {"route", "service version"})
    fewer = operational_processors(Policy(privacy=words))["redaction/operational_keys"]["ignored_keys"]
    assert set(usual) - set(fewer) == {"http.route", "service.version"}


def test_every_pipeline_has_every_step_in_its_order() -> None:
    """The shipped layers name the processors one by one: none is forgotten, and none comes too early."""
    made = list(operational_processors(Policy()))
    grafana = yaml.safe_load((CONFIG / "grafana.yaml").read_text("utf-8"))["service"]["pipelines"]
    for signal in ("traces", "logs", "metrics"):
        ours = [each for each in grafana[f"{signal}/operational"]["processors"] if each in made]
        assert ours == (made if signal == "metrics" else made[:-1])
    kafka = list(kafka_processors(Policy()))
    out = yaml.safe_load((CONFIG / "kafka-out.yaml").read_text("utf-8"))["service"]["pipelines"]
    assert [each for each in out["traces/product"]["processors"] if each in kafka] == kafka
    assert [each for each in out["logs/product"]["processors"] if each in kafka] == kafka[1:]
    assert ", ".join(made) in collector_config(Policy(), "p")
