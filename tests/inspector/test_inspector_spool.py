"""The inspector over what waits on disk."""

from __future__ import annotations

import json
from pathlib import Path

from inspecting import enter, inspecting
from looked_at import Inspected

MAIL = "jo@planted.example.org"


def test_what_waits_is_shown_as_it_will_be_sent(tmp_path: Path) -> None:
    """Events of an app that cannot reach PostHog are on the page, filtered as they are on the disk, and stay there."""
    spool = tmp_path / "spool"
    environ = {"OTEL_POSTHOG_ENABLED": "true", "OTEL_POSTHOG_SPOOL_DIR": str(spool), "OTEL_POSTHOG_INSPECT": "0"}
    with Inspected(tmp_path, **environ) as app:
        app.do("capture", "paid", {"note": f"mail {MAIL}"}, times=3)
        app.end()
    before = {path: path.read_bytes() for path in spool.rglob("*") if path.is_file()}
    with inspecting("--spool", environ=app.environ) as url:
        browser = enter(url)
        messages = browser.until("summary")
        status, text, _ = browser.ask("api/rule", "POST", {"seq": 1, "kind": "allow", "key": "a"})
    found = [each for each in messages if each["type"] == "item"]
    assert [each["events"][0]["destinations"][0]["name"] for each in found] == ["paid"] * 3
    assert found[0]["events"][0]["destinations"][0]["event"]["properties"]["note"] == "mail [email]"
    assert found[0]["time"]
    state = [each for each in messages if each["type"] == "state"][-1]
    assert (state["source"]["kind"], state["source"]["name"], state["values_shown"]) == ("spool", str(spool), False)
    assert [(each["destination"], each["events"]) for each in state["spool"]] == [("default", 3)]
    assert messages[-1]["sent"] == {"default": 3}
    assert (status, "filtered already" in json.loads(text)["error"]) == (409, True)
    assert {path: path.read_bytes() for path in spool.rglob("*") if path.is_file()} == before


def test_a_spool_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """The page opens, and says why there is nothing on it."""
    with inspecting("--spool", environ={"OTEL_POSTHOG_SPOOL_DIR": str(tmp_path / "nowhere")}) as url:
        state = [each for each in enter(url).until("summary") if each["type"] == "state"][-1]
    assert state["source"]["problem"]
