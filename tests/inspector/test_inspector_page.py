"""The inspector's page in Chromium: the stream, one event on both sides, filters, pause, keys, a broken connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import complaints, requested
from inspected import event, request, without_values
from inspector_feed import Feed, process
from inspector_page import Page
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

MAIL = "jo@planted.example.org"


@pytest.fixture
def page(chrome: webdriver.Chrome, feed: Feed) -> Iterator[Page]:
    """The page; whatever a test does, it asks nobody else for anything, and the console stays empty."""
    requested(chrome), complaints(chrome)
    yield Page(chrome, feed.url)
    strangers = [each for each in requested(chrome) if not each.startswith((feed.url, "data:,", "about:"))]
    assert strangers == []
    assert [each for each in complaints(chrome) if "ERR_" not in each and "403" not in each] == []
    chrome.get("about:blank")


def test_a_removed_address_is_seen_and_marked_with_its_rule(page: Page, feed: Feed) -> None:
    """On the left what the app wrote, on the right that it is gone or replaced, and by which rule, in words."""
    feed.push(event())
    page.open(feed)
    page.open_row("ticket_created")
    pairs = page.pairs()
    assert pairs["customer_email"][0] == MAIL
    assert pairs["customer_email"][1].split("\n") == ["removed", "the key is a sensitive one sensitive_key"]
    assert pairs["customer_email"][2] == "removed"
    assert pairs["note"] == (f"mail {MAIL}", "mail [email]\ne-mail address email", "changed")
    assert page.texts(".pair-after mark")[-1] == "[email]"
    assert pairs["plan"] == ("pro", "pro", "same")
    assert pairs["user id"][:2] == ("u-4711", "(id of the installation)\nidentity mode installation")


def test_what_is_nested_is_laid_out_with_what_was_removed_in_it(page: Page, feed: Feed) -> None:
    """A number in a form is struck out where it stands, and the rest of the form stays."""
    feed.push(event())
    page.open(feed)
    page.open_row("ticket_created")
    pairs = page.pairs()
    assert pairs["form"][:2] == ("2 keys", "1 key")
    assert pairs["phone"][2] == "removed"
    assert pairs["city"] == ("Rome", "Rome", "same")


def test_the_operational_copy_is_beside_it(page: Page, feed: Feed) -> None:
    """What was redacted and taken off, before and after, and how much is as it was."""
    given = {"analytics.event": "ticket_created", "analytics.property.note": f"mail {MAIL}", "user.id": "u-4711"}
    feed.push(request(**given))
    page.open(feed)
    page.open_row("ticket_created")
    copy = page.text("[aria-label='Operational copy']")
    assert "2 of 6 parts as they were" in copy
    assert "3 parts taken off" in copy
    assert page.pairs()["url.full"][1] == "https://help.example/t?mail=[email]"
    assert "user.id\nu-4711" in page.text(".unsent.is-gone")
    assert page.text(".row-state") == "PostHog + OTLP"


def test_a_rule_of_the_policy_is_named_where_it_made_the_event(page: Page, feed: Feed) -> None:
    """In the stream, beside the span; what the app marked itself needs no name."""
    derived, marked = event("ticket_submitted"), event("ticket_created")
    derived["events"][0] |= {"rule": "tickets", "reason": "the rule tickets says so"}
    feed.push(derived, marked)
    page.open(feed)
    assert page.texts(".row-where") == ["event", "event · tickets"]


def test_values_that_the_app_keeps_to_itself_are_not_shown_and_the_page_says_how_they_would_be(
    page: Page, feed: Feed
) -> None:
    """Keys, rules and what PostHog gets are there; a banner names the switch."""
    feed.say(values_shown=False, processes=[process(values_shown=False)])
    feed.push(without_values(event()))
    page.open(feed)
    page.open_row("ticket_created")
    pairs = page.pairs()
    assert pairs["customer_email"][0] == "not shown"
    assert pairs["customer_email"][2] == "removed"
    assert pairs["note"] == ("not shown", "mail [email]\ne-mail address email", "changed")
    assert MAIL not in page.text("#app")
    assert "Values before filtering are not shown." in page.text("#values-hidden")
    feed.say(values_shown=True, processes=[process()])
    page.until(lambda: not page.all("#values-hidden"))


def test_what_waits_on_disk_has_no_before(page: Page, feed: Feed) -> None:
    """There is no receipt in the spool: the page does not claim that anything is as it was sent, and says why."""
    item = without_values(event())
    item["events"][0]["destinations"][0] |= {"policy": "", "changes": [], "identity": ""}
    feed.say(source={"kind": "spool", "name": "/spool", "complete": True}, values_shown=False, processes=[])
    feed.push(item)
    page.chrome.get(page.url)
    page.open_row("ticket_created")
    pairs = page.pairs()
    assert {before for before, *_ in pairs.values()} == {"", "not kept"}
    assert pairs["note"] == ("not kept", "mail [email]", "unknown")
    assert "What waits on disk is filtered already." in page.text("#values-hidden")
    assert page.text(".connection") == "What waits in the spool"


def test_what_posthog_does_not_get_says_why(page: Page, feed: Feed) -> None:
    """A destination that drops, one that gets it, an item that is no event: each in words."""
    dropped = event("paid")
    sent = dropped["events"][0]["destinations"]
    sent.append({**sent[0], "destination": "vendor"})
    sent[0] |= {"sent": False, "dropped": "consent", "event": None, "name": None, "changes": [], "properties": []}
    invalid = event("bad") | {"events": [], "dropped": ["name_invalid"], "name": "bad"}
    feed.push(dropped, invalid)
    page.open(feed)
    page.open_row("paid")
    assert "PostHog gets nothing: there is no consent." in page.text(".event")
    assert page.texts(".row-state") == ["no event: name invalid", "PostHog 1 of 2"]
    page.all(".segments button")[1].click()
    page.until(lambda: "PostHog gets nothing" not in page.text(".event"))
    page.open_row("bad")
    assert "its name is not 1-200 bytes long" in page.text(".event")


def test_filters_and_search_narrow_the_stream(page: Page, feed: Feed) -> None:
    """By words in values, by event, outcome, rule and process, together; what is shown is counted."""
    other = event("signed_up", {"plan": "free"}) | {"process": {"pid": 9, "service": "worker"}}
    feed.push(event(), other, event("signed_up"), other)
    page.open(feed)
    page.until(lambda: len(page.rows) == 4)
    page.press("/", "planted.example")
    page.until(lambda: page.rows == ["signed_up", "ticket_created"])
    assert "2 of 4" in page.text(".shown")
    choose(page, "event", "signed_up")
    page.until(lambda: page.rows == ["signed_up"])
    page.click("#clear")
    page.until(lambda: len(page.rows) == 4)
    choose(page, "rule", "did:email")
    page.until(lambda: page.rows == ["signed_up", "ticket_created"])
    choose(page, "process", "worker 9")
    page.until(lambda: "No event passes these filters" in page.text(".empty"))
    page.press(Keys.ESCAPE)
    page.until(lambda: len(page.rows) == 4)
    choose(page, "outcome", "sent")
    page.until(lambda: "4 of 4" in page.text(".shown"))


def choose(page: Page, name: str, value: str) -> None:
    """Choose an option of a filter."""
    page.one(f"#filter-{name} option[value='{value}']").click()


def test_pause_holds_the_stream_and_counts_what_waits(page: Page, feed: Feed) -> None:
    """Nothing moves meanwhile, and all of it is there after."""
    feed.push(event("one"))
    page.open(feed)
    page.press("p")
    page.until(lambda: page.text("#pause").startswith("Resume"))
    feed.push(event("two"), event("three"))
    page.until(lambda: page.text("#pause").split() == ["Resume", "2", "waiting"])
    assert page.rows == ["one"]
    page.click("#pause")
    page.until(lambda: page.rows == ["three", "two", "one"])
    assert page.text("#pause") == "Pause"


def test_keys_do_what_a_mouse_does(page: Page, feed: Feed) -> None:
    """J and k move, Enter opens, Esc closes and gives the focus back, ? shows the keys; typing is typing."""
    feed.push(*(event(name) for name in ("one", "two", "three")))
    page.open(feed)
    page.press("j", "j")
    page.until(lambda: page.text(".row.is-cursor .row-name") == "two")
    page.press(Keys.ENTER)
    page.until(lambda: page.text("#event-title") == "two")
    assert page.script("return document.activeElement.id") == "event-title"
    page.press("j")
    page.until(lambda: page.text("#event-title") == "one")
    page.press("k", "k")
    page.until(lambda: page.text("#event-title") == "three")
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("#event-title"))
    assert page.script("return document.activeElement.id") == "stream"
    page.press("?")
    page.until(lambda: page.all("dialog[open]"))
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"))
    page.press("/")
    page.press("jp?")
    assert page.script("return document.getElementById('search').value") == "jp?"
    assert page.text("#pause") == "Pause"


def test_a_connection_that_breaks_is_said_and_taken_up_where_it_broke_off(page: Page, feed: Feed) -> None:
    """What is there stays; each item that came meanwhile comes once."""
    feed.push(event("one"))
    page.open(feed)
    feed.is_down = True
    feed.break_off()
    page.until(lambda: "Offline" in page.text(".connection"))
    assert "The connection to the inspector is lost." in page.text("#lost")
    assert page.rows == ["one"]
    feed.push(event("two"))
    feed.is_down = False
    page.click("#lost button")
    page.until(lambda: page.rows == ["two", "one"])
    page.until(lambda: not page.all("#lost"))
    feed.break_off()
    page.until(lambda: page.all("#lost"))
    feed.push(event("three"))
    # By itself, after a second.
    page.until(lambda: page.rows == ["three", "two", "one"])


def test_a_session_that_is_over_is_said(page: Page, feed: Feed) -> None:
    """The page does not try for ever where the address is no longer valid."""
    page.open()
    feed.is_refusing = True
    feed.break_off()
    page.until(lambda: "This address is no longer valid." in page.text(".banners"))


def test_an_inspector_that_is_stopped_or_has_lost_items_says_so(page: Page, feed: Feed) -> None:
    """The end of the server in its own words; a gap as a number."""
    page.open()
    feed.send({"type": "gap", "from": 3, "to": 9})
    page.until(lambda: "7 items came while this page was away" in page.text(".banners"))
    feed.send({"type": "end", "reason": "stopped"})
    page.until(lambda: "The inspector was stopped." in page.text("#lost"))


def test_a_thousand_items_and_no_more(page: Page, feed: Feed) -> None:
    """The older ones are fetched, what is over a thousand goes, and only lines in sight are in the document."""
    item = event("burst", {"plan": "pro"})
    feed.push(*[item] * 1200)
    page.open(feed)
    page.until(lambda: page.text(".shown").startswith("1,000 events"))
    assert len(page.rows) < 40
    page.press("G")
    page.until(lambda: page.text(".row.is-cursor") != "")
    assert page.script("return document.querySelector('.row.is-cursor').ariaPosInSet") == "1000"
    feed.push(*[item] * 300)
    page.until(lambda: feed.items[-1]["seq"] == 1500 and page.text(".shown").startswith("1,000 events"))


def test_what_is_read_stays_where_it_is_while_others_come(page: Page, feed: Feed) -> None:
    """A view that is not at the top is not moved by what comes in above it."""
    feed.push(*(event(f"e{number}", {}) for number in range(60)))
    page.open(feed)
    page.until(lambda: page.text(".shown").startswith("60"))
    page.script("document.getElementById('stream').scrollTop = 540")
    first = "return document.elementFromPoint(60, 260).closest('.row')?.querySelector('.row-name').innerText ?? ''"
    seen = page.until(lambda: page.script(first))
    feed.push(event("new", {}), event("newer", {}))
    page.until(lambda: page.text(".shown").startswith("62"))
    assert page.until(lambda: page.script(first) == seen)


def test_delivery_and_the_apps_are_shown(page: Page, feed: Feed) -> None:
    """What waits in queue and spool, what has arrived, what was dropped and why, and which apps there are."""
    delivery = {"received": 9, "delivered": 1234, "dropped": 7, "retried": 0, "attempts": 3, "last_attempt": None}
    feed.say(
        queue={"worker_bytes": 12, "buffer_bytes": 1200},
        spool=[{"destination": "default", "bytes": 4096, "events": 3, "oldest_age_s": 1.5}],
        delivery=delivery | {"reasons": [{"outcome": "dropped", "reason": "consent", "count": 7}]},
        processes=[process(), process(4712, "worker", connected=False, skipped=5)],
    )
    feed.push(event())
    page.open(feed)
    strip = page.text(".strip").split("\n")
    assert dict(zip(strip[::2], strip[1::2], strict=True)) == {
        "Queue": "12 B",
        "Buffer": "1.2 kB",
        "Spool": "3 events, 1.5 s old",
        "Delivered": "1,234",
        "Dropped": "7",
    }
    assert "dropped: there is no consent\n7" in page.text("[aria-labelledby=totals-delivery]")
    assert "ended, 5 not shown" in page.text(".processes")
    assert page.text("#skipped") == "Not shown: 5 items, too many at once. What is sent is the same."


def test_a_preview_is_not_called_a_delivery(page: Page, feed: Feed) -> None:
    """Nor a drop: where nothing is sent the page says so, above and in the totals."""
    reasons = [{"outcome": "previewed", "reason": "default", "count": 12}]
    counted = {"received": 12, "delivered": 0, "previewed": 12, "dropped": 0, "attempts": 0, "last_attempt": None}
    feed.say(delivery=counted | {"reasons": reasons})
    feed.push(event())
    page.open(feed)
    page.until(lambda: "Previewed, not sent\n12" in page.text(".strip"))
    assert "Delivered" not in page.text(".strip")
    figures = page.text("[aria-labelledby=totals-delivery]").split("\n")
    assert figures[figures.index("Dropped") :][:3] == ["Dropped", "0", "Queue and buffer"]


def test_operational_items_show_where_they_are_asked_for(page: Page, feed: Feed) -> None:
    """The stream is of product events; a button counts the others and shows them, the empty stream says so."""
    feed.push(request())
    page.open()
    page.until(lambda: "No product event yet" in page.text(".empty"))
    page.click(".empty button")
    page.until(lambda: page.rows == ["POST /tickets"])
    assert page.text(".row-state") == "OTLP only"
    feed.push(event())
    page.until(lambda: page.rows == ["ticket_created", "POST /tickets"])
    page.click("#operational")
    page.until(lambda: page.rows == ["ticket_created"])
    assert page.text("#operational") == "Show 1 operational item"


def test_totals_filter_the_stream(page: Page, feed: Feed) -> None:
    """A bar is a button that narrows the stream to what it counts, and a second click undoes that."""
    feed.push(event(), event("signed_up"), event("signed_up"))
    page.open(feed)
    page.until(lambda: page.texts("[aria-labelledby=totals-events] .bar")[:1] == ["signed_up\n2"])
    page.click("[aria-labelledby=totals-events] .bar")
    page.until(lambda: page.rows == ["signed_up", "signed_up"])
    page.click("[aria-labelledby=totals-events] .bar.is-chosen")
    page.until(lambda: len(page.rows) == 3)


def test_a_rule_is_tried_before_anything_is_saved(page: Page, feed: Feed) -> None:
    """The lines, how many of the last items they change, examples; an answer that refuses is shown as it is."""
    feed.push(event(), request())
    feed.answer = (
        200,
        {
            "policy": "derive:\n  - name: tickets_submitted\n",
            "effect": {"matched": 31, "changed": 30, "of": 1000},
            "examples": [
                {"seq": 1, "name": "tickets_submitted", "before": None, "after": None, "change": "becomes an event"}
            ],
            "note": None,
        },
    )
    page.open(feed)
    page.click("#operational")
    page.open_row("POST /tickets")
    page.press("r")
    page.all(".rule-kinds button")[0].click()
    page.until(lambda: page.text(".rule .code") == "derive:\n  - name: tickets_submitted")
    assert feed.rules == [{"seq": 2, "kind": "derive"}]
    assert "Of the last 1,000 items 31 match, 30 would change." in page.text(".rule")
    assert "Nothing is saved here." in page.text(".rule")
    page.click(".rule-examples button")
    page.until(lambda: page.text("#event-title") == "ticket_created")


def test_of_an_app_that_has_ended_the_page_says_what_can_be_done(page: Page, feed: Feed) -> None:
    """It is told apart from one that runs, and is asked for no rule; the lines that one gave before stay."""
    feed.answer = (200, {"policy": "privacy: {}\n", "effect": {"matched": 1, "changed": 1, "of": 1}, "examples": []})
    feed.push(event(kind="log"), event("signed_up", kind="log"))
    page.open(feed)
    page.open_row("ticket_created")
    page.click("#make-rule")
    page.all(".rule-kinds button")[2].click()
    page.until(lambda: page.text(".rule .code") == "privacy: {}")
    feed.say(processes=[process(connected=False)])
    page.until(lambda: page.text(".connection") == "Ended")
    assert page.text(".rule .code") == "privacy: {}"
    assert not any(each.is_enabled() for each in page.all(".rule-kinds button"))
    page.open_row("signed_up")
    page.press("r")
    page.until(lambda: "The app of this item has ended." in page.text(".rule"))
    assert "Start it again with OTEL_POSTHOG_INSPECT=1: this page finds it by itself" in page.text(".rule")
    assert page.all(".rule button") == []
    assert page.script("return document.activeElement.closest('.rule') !== null")
    feed.say(source={"kind": "live", "name": "/run/inspect", "complete": True})
    page.until(lambda: "run otel-posthog inspect" in page.text(".rule"))
    feed.say(processes=[process()])
    page.until(lambda: page.text(".connection") == "Live" and page.all(".rule-kinds button"))
    assert len(feed.rules) == 1


def test_a_page_without_events_says_what_to_start(page: Page, feed: Feed) -> None:
    """No app yet: the command; an app and no event yet: that it waits for one."""
    feed.say(processes=[])
    page.open()
    page.until(lambda: "Waiting for an app" in page.text(".empty"))
    assert "opentelemetry-instrument python app.py" in page.text(".empty .code")
    feed.say(processes=[process()])
    page.until(lambda: "1 app is connected" in page.text(".empty"))
