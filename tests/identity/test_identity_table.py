"""The table of docs/identity.md: what each mode collects, cell by cell."""

from __future__ import annotations

import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from events import ring
from telemetry import Telemetry

from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.policy import IdentityMode

PAGE = (Path(__file__).parents[2] / "docs" / "identity.md").read_text(encoding="utf-8")
USER, ALIAS, COMPANY = "u-4711-ada", "visitor-99", "acme-corp"
JOURNEY = "order-4711"
WINDOW = "tab-4711"
OTHER_USER = "u-0815-bob"


def cells() -> list[tuple[str, IdentityMode, str]]:
    """Return (row, mode, cell) of the page's first table."""
    table = PAGE.partition("## What each mode collects")[2].partition("\n## ")[0]
    head, _, *rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    modes = [IdentityMode(re.findall(r"`(\w+)`", cell)[0]) for cell in head[1:]]
    return [(row[0].strip(), mode, cell.strip()) for row in rows for mode, cell in zip(modes, row[1:], strict=True)]


class Seen:
    """What PostHog got of an app that tells everything it can.

    Args:
        mode: The identity mode.
        directory: The state directory.
    """

    def __init__(self, mode: IdentityMode, directory: Path) -> None:
        self.session = str(uuid.UUID(int=(time.time_ns() // 10**6) << 80 | 7 << 76 | 0b10 << 62 | 4711))
        pseudonyms = Pseudonyms(keys=ring(), salts=DailySalts(directory))
        with Telemetry(mode, pseudonyms=pseudonyms) as app:
            user = {"analytics.user.id": USER}
            everything = {
                **user,
                "analytics.event": "e",
                "analytics.session.id": self.session,
                "analytics.window.id": WINDOW,
                "analytics.group.company": COMPANY,
                "analytics.journey.id": JOURNEY,
                "analytics.user.set.plan": "pro",
                "analytics.user.set.link": f"/u/{USER}",
                "analytics.url": f"/u/{USER}/edit",
                "analytics.previous_user_id": OTHER_USER,
            }
            app.tracer.start_span("op", attributes=everything).end()
            app.tracer.start_span("op", attributes={"analytics.event": "nobody"}).end()
            app.tracer.start_span("op", attributes={**user, "analytics.event": f"opened_{USER}"}).end()
            changes: list[tuple[str, dict[str, Any]]] = [
                ("$identify", {"analytics.user.set.plan": "pro"}),
                ("$set", {"analytics.user.set.plan": "pro"}),
                ("$create_alias", {"analytics.user.alias": ALIAS}),
                ("$groupidentify", {"analytics.group.company": COMPANY, "analytics.group.set.company.size": 5}),
            ]
            for name, given in changes:
                app.tracer.start_span("op", attributes={**user, "analytics.event": name, **given}).end()
        self.events = {each["event"]: each for each in app.events}
        self.dropped = app.dropped

    def __getitem__(self, row: str) -> str:
        """Return what is seen of a row of the table, in the table's words."""
        e, nobody = self.events["e"], self.events["nobody"]
        properties = e["properties"]
        answers: dict[str, Any] = {
            "a user's events (`distinct_id`)": lambda: word(e["distinct_id"], USER),
            "events of nobody (`distinct_id`)": lambda: word(nobody["distinct_id"], USER),
            "person profile": lambda: "yes" if e["options"]["process_person_profile"] else "none",
            "session": lambda: word(e.get("session_id", properties.get("session_id")), self.session),
            "window (`$window_id`)": lambda: word(e.get("window_id"), WINDOW),
            "groups": lambda: word(properties.get("$groups", {}).get("company"), COMPANY),
            "journey (`journey_id`)": lambda: word(properties.get("journey_id"), JOURNEY),
            "person properties": lambda: {None: "none", "pro": "filtered"}[properties.get("$set", {}).get("plan")],
            "`$identify`, `$set`, `$create_alias`": self._person_events,
            "`$groupidentify`": self._group_update,
            "an id that a property repeats": lambda: {"/u/[user]/edit": "replaced"}.get(properties["url"], "as it is"),
            "a property named as an id": lambda: "removed" if "previous_user_id" not in properties else "as it is",
            "trace of the event": lambda: "as it is" if "$trace_id" in properties else "none",
            "IP address": lambda: {"0.0.0.0": "none"}.get(properties["$ip"], "yes"),
        }
        return str(answers[row]())

    def _person_events(self) -> str:
        found = [self.events.get(name) for name in ("$identify", "$set", "$create_alias")]
        if found == [None, None, None]:
            return "dropped"
        identify, change, alias = (each for each in found if each is not None)
        words = {word(each["distinct_id"], USER) for each in (identify, change)}
        words |= {word(alias["distinct_id"], ALIAS), word(alias["properties"]["alias"], USER)}
        assert alias["properties"]["alias"] == identify["distinct_id"]
        return " ".join(words)

    def _group_update(self) -> str:
        update = self.events.get("$groupidentify")
        if update is None:
            return "dropped"
        assert update["properties"]["$group_set"] == {"size": 5}
        assert update["properties"]["$group_key"] == self.events["e"]["properties"]["$groups"]["company"]
        return word(update["properties"]["$group_key"], COMPANY)


def word(sent: str | None, given: str) -> str:
    """Return what the page calls `sent`, where the app gave `given`."""
    if sent is None:
        return "none"
    if sent == given:
        return "as it is"
    prefix, _, rest = sent.partition("-")
    if prefix == "journey":
        return "day" if "-" in rest else "pseudonym"
    kinds = {
        "unlinked": "event",
        "installation": "installation",
        "daily": "day",
        "user": "pseudonym",
        "group": "pseudonym",
        "window": "pseudonym",
    }
    if prefix in kinds:
        return kinds[prefix]
    return "pseudonym" if uuid.UUID(sent).version == 7 else sent


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_each_mode_collects_what_the_table_says(mode: IdentityMode, tmp_path: Path) -> None:
    """Every cell of the page, tried with an app that tells everything."""
    seen = Seen(mode, tmp_path)
    rows = [(row, cell) for row, its_mode, cell in cells() if its_mode is mode]
    assert len(rows) == 14
    assert {row: seen[row] for row, _ in rows} == dict(rows)
    assert seen.dropped == ({} if mode.has_persons else {"person_event": 4})


def test_nothing_that_an_unlinked_event_carries_is_in_another(tmp_path: Path) -> None:
    """No id, no trace, no span: of what two events share, nothing is of less than the whole app."""
    seen = Seen(IdentityMode.UNLINKED, tmp_path)
    one, other = seen.events["e"], seen.events["nobody"]
    assert one["distinct_id"] == f"unlinked-{one['uuid']}" != other["distinct_id"]
    shared = {key for key, value in one["properties"].items() if other["properties"].get(key) == value}
    assert shared <= {"$ip", "$geoip_disable", "service.name"}


@pytest.mark.parametrize("mode", [mode for mode in IdentityMode if mode is not IdentityMode.IDENTIFIED])
def test_no_id_is_anywhere_in_what_a_mode_that_hides_it_sends(mode: IdentityMode, tmp_path: Path) -> None:
    """Not in any byte of any event."""
    seen = Seen(mode, tmp_path)
    sent = json.dumps(seen.events)
    assert [given for given in (USER, OTHER_USER, ALIAS, COMPANY, JOURNEY, seen.session) if given in sent] == []
