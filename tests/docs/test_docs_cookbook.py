"""The recipes: each is run as it stands on the page, with its policy, and PostHog gets what the page shows."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, Block, blocks_in, blocks_of, terminal
from telemetry import Telemetry

from otel_posthog.policy import Policy
from otel_posthog.policy.yaml_file import parse_policy

PAGE = DOCS / "cookbook.md"
_PASSING = (
    (r'("duration_m?s": )[\d.]+', r"\g<1>0"),
    (r'("journey_id": )"[^"]+', r'\g<1>"...'),
    (r'\?schemaVersion[^"]+', "?..."),
)
# What every event has, or every one of a span.
USUAL = {"service.name", "service.instance.id", "$ip", "$geoip_disable", "$trace_id", "$span_id", "trace_sampled"}


def recipes() -> dict[str, list[Block]]:
    """Return the recipes' blocks by heading."""
    _, *parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading: blocks_in(text, PAGE.name) for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def shown(events: list[dict[str, Any]]) -> str:
    """Return events as the page shows them, a line for each."""
    lines = []
    for each in events:
        own = {key: value for key, value in each["properties"].items() if key not in USUAL}
        lines.append(f"{each['event']}  {each['distinct_id']}  {json.dumps(own)}")
        if "2026-11-27" in each["timestamp"]:
            lines[-1] += f"  at {each['timestamp']}"
    text = "".join(f"{line}\n" for line in lines) or "nothing\n"
    for passing, lasts in _PASSING:
        text = re.sub(passing, lasts, text)
    return text


@pytest.mark.parametrize("heading", [name for name in recipes() if not name.startswith("20.")])
def test_a_recipe_does_what_the_page_shows(heading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `DOCS_UPDATE=1` in the environment the page is made to show it."""
    blocks = {each.language: each for each in recipes()[heading]}
    policy = parse_policy(blocks["yaml"].text, source="cookbook.md") if "yaml" in blocks else Policy()
    given = {each.name: getattr(policy, each.name) for each in fields(Policy)}
    kept = {name: given[name] for name in ("collection", "privacy", "catalog", "derive", "trace_url")}
    with Telemetry(**kept) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        monkeypatch.setattr("opentelemetry.trace.get_tracer", app.tracer_provider.get_tracer)
        (handler,) = app.log.handlers
        logging.getLogger("shop").addHandler(handler)
        try:
            exec(blocks["python"].text, {})
        finally:
            logging.getLogger("shop").removeHandler(handler)
        made = shown(app.events)
    if os.environ.get("DOCS_UPDATE"):
        text = PAGE.read_text(encoding="utf-8")
        at = text.index("```text\n", text.index(blocks["python"].text)) + len("```text\n")
        PAGE.write_text(text[:at] + made + text[text.index("```", at) :], encoding="utf-8")
    assert made == blocks["text"].text


def test_the_recipe_of_a_test_is_one_that_passes(tmp_path: Path) -> None:
    """Run by pytest in a directory of its own."""
    (block,) = [each for each in blocks_of(PAGE, "python") if each.file_name == "test_shop.py"]
    (tmp_path / "test_shop.py").write_text(block.text, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"]
    done = subprocess.run(
        words, cwd=tmp_path, env=terminal(tmp_path), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_there_are_twenty() -> None:
    """Numbered, each with a block of Python."""
    assert [name.partition(".")[0] for name in recipes()] == [str(number) for number in range(1, 21)]
    assert [name for name, blocks in recipes().items() if "python" not in {each.language for each in blocks}] == []
