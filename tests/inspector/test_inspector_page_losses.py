"""What the inspector's page loses: an item that it cannot read, and all of an app whose user opts out; nothing else."""

from __future__ import annotations

from typing import Any

from inspected import event
from inspector_feed import Feed, process
from inspector_page import Page

NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]
TEXTS = ['a "quoted\\" ]}, [{', "\\", '"items":[', "NaN"]
HELPDESK, WORKER = {"pid": 4711, "service": "helpdesk"}, {"pid": 9, "service": "worker"}


def unread(value: Any) -> dict[str, Any]:
    """Return an item that has a value which JSON does not have."""
    return event("unread", {"plan": "x"}) | {"note": {"deep": [value, *TEXTS]}}


def test_one_item_that_is_no_json_takes_no_other_with_it(page: Page, feed: Feed) -> None:
    """In the stream: the others are shown, those that are not are counted, and a new connection asks for none again."""
    page.open(feed)
    for number, value in enumerate(NO_NUMBERS):
        feed.push(event(f"seen {number}", {"text": TEXTS}), unread(value))
    feed.push(event("last"))
    page.until(lambda: page.rows == ["last", "seen 2", "seen 1", "seen 0"])
    assert page.text("#unread").startswith("3 items could not be shown:")
    feed.push(unread(NO_NUMBERS[0]))
    page.until(lambda: page.text("#unread").startswith("4 items"))
    feed.break_off()
    page.until(lambda: any("after=8" in each for each in feed.requests))
    feed.push(event("after"))
    page.until(lambda: page.rows[0] == "after")
    assert page.text("#unread").startswith("4 items")


def test_one_item_that_is_no_json_leaves_the_rest_of_an_answer(page: Page, feed: Feed) -> None:
    """Behind the first page of the list: alone, one of many, or all of an answer's."""
    items = [event(f"e{number}", {"text": TEXTS}) for number in range(2)]
    older = [unread(NO_NUMBERS[at % 3]) if at % 50 == 7 or 200 <= at < 400 else items[at % 2] for at in range(450)]
    feed.push(*older, *[items[0]] * 200)
    page.open(feed)
    lost = sum(each["name"] == "unread" or "note" in each for each in older)
    page.until(lambda: page.text(".shown").startswith(f"{650 - lost} events"))
    page.until(lambda: page.text("#unread").startswith(f"{lost} items could not be shown"))


def test_an_item_in_another_form_is_counted(page: Page, feed: Feed) -> None:
    """JSON that is no item: neither the next one nor the page goes with it."""
    page.open(feed)
    feed.push({**event("odd"), "events": [{"destinations": 5}]}, event("next"))
    page.until(lambda: page.rows == ["next"])
    assert page.text("#unread").startswith("1 item could not be shown: the page cannot read it.")


def test_an_answer_about_a_rule_that_is_no_json_is_said(page: Page, feed: Feed) -> None:
    """The event stays open, and the panel says it in words."""
    feed.push(event("open", kind="span"))
    feed.answer = (200, {"policy": "x", "effect": {}, "examples": [{"before": NO_NUMBERS[0]}]})
    page.open(feed)
    page.open_row("open")
    page.click("#make-rule")
    page.all(".rule-kinds button")[0].click()
    page.until(lambda: "The inspector's answer could not be read." in page.text(".rule"))
    assert page.text("#event-title") == "open"


def test_items_of_an_app_whose_user_opts_out_are_dropped(page: Page, feed: Feed) -> None:
    """In the list, open, waiting while paused, and in totals; those of another app stay, and the page says why."""
    feed.say(processes=[process(), process(9, "worker")])
    feed.push(event("mine"), event("other", process=WORKER))
    page.open(feed)
    page.open_row("mine")
    page.press("p")
    feed.push(event("mine too"), event("other too", process=WORKER))
    page.until(lambda: page.text("#pause").split() == ["Resume", "2", "waiting"])
    feed.send({"type": "forgotten", "process": {"pid": HELPDESK["pid"]}})
    page.until(lambda: page.rows == ["other"])
    assert page.all("#event-title") == []
    assert page.text("#pause").split() == ["Resume", "1", "waiting"]
    assert "The user has opted out: the items of helpdesk 4711 are gone" in page.text("#forgotten")
    page.click("#pause")
    page.until(lambda: page.rows == ["other too", "other"])
    assert "mine" not in page.script("return document.body.innerText")


def test_what_comes_in_the_same_moment_as_an_opt_out_is_dropped(page: Page, feed: Feed) -> None:
    """Before it was drawn; the open event of another app stays open."""
    feed.push(event("other", process=WORKER))
    page.open(feed)
    page.open_row("other")
    feed.push(*(event("mine") for _ in range(20)))
    feed.send({"type": "forgotten", "process": HELPDESK})
    page.until(lambda: page.all("#forgotten"))
    feed.push(event("other too", process=WORKER))
    page.until(lambda: page.rows == ["other too", "other"])
    assert page.text("#event-title") == "other"
