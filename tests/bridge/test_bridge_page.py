"""What `docs/moving-from-posthog-python.md` shows runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bridged import KEY, set_up
from posthog.client import Client

from otel_posthog.policy import Policy
from otel_posthog_instrumentation.posthog_python import PostHogPythonInstrumentor

PAGE = (Path(__file__).parents[2] / "docs" / "moving-from-posthog-python.md").read_text(encoding="utf-8")


def test_the_program_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with clients that are taken over."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.setenv("POSTHOG_API_KEY", KEY)
    with set_up(Policy()):
        exec(program, {})
        assert isinstance(vars(Client)["send"], property)
        PostHogPythonInstrumentor().uninstrument()


@pytest.mark.parametrize("word", ["OTEL_POSTHOG_BRIDGE=true", "collection.bridge: true", "uninstrument()"])
def test_the_page_names_every_switch(word: str) -> None:
    """On, in the policy, and off."""
    assert word in PAGE
