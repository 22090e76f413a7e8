"""What the inspector's page says of an event: the true reason, the property that is meant, one full stop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from inspected import event, explained, live, request
from inspector_feed import Feed
from inspector_page import Page

MAIL = "jo@planted.example.org"
INSTALLATION = "identity mode installation"
DROPS = {"consent": "there is no consent", "catalog_event": "catalog", "too_large": "large", "name_invalid": "name"}


def acted(name: str, *, dropped: str = "") -> dict[str, Any]:
    """Return an event of a user who was asked, dropped for a reason or sent."""
    item = event(name)
    made = item["events"][0]
    made["before"]["who"] = {"user id": "u-4711", "consent": dropped != "consent", "group company": "acme"}
    if dropped:
        made["destinations"][0] |= {"sent": False, "dropped": dropped, "event": None, "identity": "installation"}
    return item


def test_who_acts_is_removed_for_the_reason_that_drops_the_event(page: Page, feed: Feed) -> None:
    """Each reason, at each row of who acts; of what is sent the identity mode; consent is no part of it."""
    feed.push(*(acted(each, dropped=each) for each in DROPS), acted("sent"))
    page.open(feed)
    for reason, words in DROPS.items():
        page.open_row(reason)
        for key in ("user id", "consent", "group company"):
            _, after, mark = page.pairs()[key]
            assert (after.split("\n")[0], mark) == ("removed", "removed")
            assert "identity mode" not in after
            assert after.endswith(reason)
            assert words in after
    page.open_row("sent")
    assert page.pairs()["user id"][1] == "(id of the installation)\nidentity mode installation"
    assert page.pairs()["consent"][1] == "removed\nit lets the event be sent, and is no part of it"


def test_an_id_is_removed_for_its_own_reason(page: Page, feed: Feed, tmp_path: Path) -> None:
    """What a rule does to a property `id` is said of that one alone; of a session's or window's what is done to it."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("identity: installation\nprivacy: {rules: [{name: no_ids, keys: [id], method: drop}]}\n", "utf-8")
    anonymous = event("anonymous", {"id": "i-1"}, options=("--policy", str(policy)))
    policy.write_text(policy.read_text("utf-8").replace("installation", "identified"), "utf-8")
    given = {"id": "i-1", "$session_id": MAIL, "$window_id": MAIL, "$set": {"id": "i-2", "plan": "pro"}}
    identified = event("identified", given, options=("--policy", str(policy)))
    who = {"user id": "u-4711", "session id": MAIL, "window id": MAIL, "group id": "acme", "$set id": "i-2"}
    anonymous["events"][0]["before"]["who"] = {**who, "consent": True}
    feed.push(anonymous, identified)
    page.open(feed)
    page.open_row("anonymous")
    pairs = page.pairs()
    assert {key: pairs[key][1].split("\n")[1] for key in who} == dict.fromkeys(who, INSTALLATION)
    assert pairs["consent"][1] == "removed\nit lets the event be sent, and is no part of it"
    assert pairs["id"][1] == "removed\nno ids no_ids"
    page.open_row("identified")
    pairs = page.pairs()
    assert pairs["user id"][1:] == ("u-4711", "same")
    assert pairs["session id"][1] == pairs["window id"][1] == "[email]\ne-mail address email"
    assert pairs["$set id"][1] == "removed\nno ids no_ids"
    assert pairs["$set plan"][1:] == ("pro", "same")


SESSION, WINDOW = "019b7c01-0400-7000-8000-000000000001", "tab-4711"


@pytest.mark.parametrize("session", [SESSION, "sess-0815"])
def test_a_session_and_a_window_that_are_sent_are_not_called_removed(
    page: Page, feed: Feed, tmp_path: Path, session: str
) -> None:
    """PostHog gets them beside the properties, a session that is none to it among them."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("identity: identified\n", "utf-8")
    given = {"event": "acted", "distinct_id": "u-4711", "timestamp": "2026-01-02T00:00:00Z"}
    ids = {"$session_id": session, "$window_id": WINDOW}
    (item,) = explained({**given, "properties": ids}, options=("--policy", str(policy)))
    feed.push(live(item))
    page.open(feed)
    page.open_row("acted")
    pairs = page.pairs()
    assert pairs["session id"] == (session, session, "same")
    assert pairs["window id"] == (WINDOW, WINDOW, "same")


def test_a_sentence_ends_with_one_full_stop(page: Page, feed: Feed) -> None:
    """Also where what it repeats ends with one."""
    reason = "the name of the record begins with analytics."
    named, plain_item, withheld = event("named"), request(), event("withheld")
    named["events"][0] |= {"reason": reason, "notes": ["a value."]}
    withheld["operational"] = {"withheld": "it is a product event only."}
    withheld["events"][0]["destinations"][0] |= {"sent": False, "dropped": "it ends.", "event": None}
    feed.push(named, plain_item | {"reason": reason}, withheld)
    page.open(feed)
    page.click("#operational")
    for name in ("named", "POST /tickets", "withheld"):
        page.open_row(name)
        assert not re.search(r"\.\.", page.text(".event"))
    page.open_row("named")
    assert page.text(".event-why") == f"A product event: {reason}"


@pytest.mark.parametrize(
    ("kind", "example", "said"),
    [
        (2, {"change": "is no longer sent", "before": "pro", "after": None}, "hostile: plan is no longer sent: pro"),
        (2, {"change": "is no longer sent", "before": None, "after": None}, "hostile: plan is no longer sent"),
        (2, {"change": "is replaced", "before": "a", "after": "b"}, "hostile: plan is replaced: a → b"),
        (2, {"change": "is no longer sent", "key": "billing_plan"}, "hostile: billing_plan is no longer sent"),
        (1, {"change": "is sent", "before": None, "after": "h1"}, "hostile: host.name is sent: h1"),
        (0, {"change": "becomes an event", "before": None, "after": None}, "hostile becomes an event"),
    ],
)
def test_the_effect_of_a_rule_names_the_property(
    page: Page, feed: Feed, kind: int, example: dict[str, Any], said: str
) -> None:
    """It is the property that is no longer sent, not the event."""
    feed.push(with_keys(["plan"], ["host.name"]))
    effect = {"matched": 1, "changed": 1, "of": 1}
    feed.answer = (200, {"policy": "x", "effect": effect, "examples": [{"seq": 1, "name": "hostile", **example}]})
    open_rules(page, feed, kind)
    page.until(lambda: page.all(".rule-examples"))
    assert " ".join(page.text(".rule-examples li").split()) == said


def test_what_stands_for_a_key_is_not_offered_for_a_rule(page: Page, feed: Feed) -> None:
    """`[key]` and `[email]`, whole or as a part of a key; a kind for which no key is left cannot be chosen."""
    masked = ["[key]", "[email]", "form.[key]", "mail_[ip address]"]
    feed.push(with_keys([*masked, "plan"], [*masked, "host.name"]))
    for kind, key in ((1, "host.name"), (2, "plan")):
        open_rules(page, feed, kind)
        page.until(lambda: feed.rules)
        assert page.texts("#rule-key option") == [key]
        assert feed.rules.pop()["key"] == key
    feed.push(with_keys(masked, masked, "masked"))
    page.open_row("masked")
    page.press("r")
    page.until(lambda: page.all(".rule-kinds"))
    assert [each.is_enabled() for each in page.all(".rule-kinds button")] == [True, False, False]


def with_keys(sent: list[str], unsent: list[str], name: str = "hostile") -> dict[str, Any]:
    """Return a span's event of which these keys are sent and those stay."""
    item = event(name, {"plan": "pro"}, kind="span")
    left = [{"key": each, "rule": "allow_list", "action": "removed"} for each in unsent]
    item["events"][0]["destinations"][0] |= {"properties": sent, "changes": left}
    return item


def open_rules(page: Page, feed: Feed, kind: int) -> None:
    """Open the event and choose a kind of rule."""
    page.open(feed)
    page.open_row("hostile")
    page.click("#make-rule")
    page.until(lambda: page.all(".rule-kinds"))
    page.all(".rule-kinds button")[kind].click()
