"""Each row of `docs/identity.md` that needs no process of its own."""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from events import DAY_NS, KEY, NEXT_KEY, NOON_NS, Clock, event, ring
from opentelemetry import baggage
from opentelemetry import context as context_api
from opentelemetry._logs import LogRecord
from opentelemetry.propagate import get_global_textmap, inject, set_global_textmap
from opentelemetry.trace import SpanKind
from telemetry import NOWHERE, Telemetry

import otel_posthog
from otel_posthog.actor.context import Baggage, use_baggage, user_context
from otel_posthog.errors import ConfigurationError, Guard
from otel_posthog.health import Health
from otel_posthog.identity import (
    DailySalts,
    Pseudonyms,
    RotatingIds,
    load_installation,
    notice_text,
    start_line,
    with_pseudonyms,
)
from otel_posthog.model import Subject
from otel_posthog.policy import (
    Carried,
    Collection,
    CollectionChoice,
    CollectionPolicy,
    Destination,
    IdentityMode,
    InstallationRotation,
    Method,
    Policy,
    PrivacyPolicy,
    Rule,
    decide,
)
from otel_posthog.setup import log
from otel_posthog.setup.propagator import propagate_actor
from otel_posthog.setup.settings import read_settings
from otel_posthog.values import unix_ns

MARKED = {"analytics.event": "e", "analytics.user.id": "u-4711"}
POLICY = Policy(collection=CollectionPolicy(off_switches=("ALGA_USAGE_STATS",))).with_credentials("phc_x", None)


def sent(mode: IdentityMode, **options: Any) -> dict[str, Any]:
    """Return the event that PostHog gets of a marked span."""
    with Telemetry(mode, **options) as app:
        app.tracer.start_span("op", attributes=MARKED).end()
    return app.only


def test_row_unlinked() -> None:
    """`unlinked`: an id for each event, made from its uuid: a repeat has it too, and nothing else does."""
    given = {**MARKED, "analytics.uuid": "019b7ca7-d388-7000-8000-0000000000ff"}
    with Telemetry(IdentityMode.UNLINKED, trace_url="https://grafana.example/{trace_id}") as app:
        for attributes in (given, given, MARKED):
            app.tracer.start_span("op", attributes=attributes).end()
    first, repeat, other = app.events
    assert first["distinct_id"] == repeat["distinct_id"] == f"unlinked-{first['uuid']}"
    assert other["distinct_id"] == f"unlinked-{other['uuid']}" != first["distinct_id"]
    assert [key for each in app.events for key in each["properties"] if "trace" in key or "span" in key] == []


@pytest.mark.parametrize(("rotation", "days"), [("weekly", 7), ("monthly", 31), ("yearly", 366)])
def test_row_installation_rotation(rotation: str, days: int, tmp_path: Path) -> None:
    """`installation_rotation: yearly` and its like: another id for each period, by the event's time."""
    clock = Clock()
    made = Pseudonyms(installations=RotatingIds(tmp_path, clock))
    policy = {"installation_rotation": InstallationRotation(rotation)}

    def ids(*times_ns: int) -> list[str]:
        with Telemetry(IdentityMode.INSTALLATION, pseudonyms=made, **policy) as app:
            for time_ns in times_ns:
                app.logger.emit(LogRecord(event_name="analytics.e", timestamp=time_ns))
            app_ids = [each["distinct_id"] for each in app.events]
        counts.append(app.counted().get("installation_period_over", 0))
        return app_ids

    counts: list[int] = []
    first = ids(NOON_NS, NOON_NS + 1)
    clock.pass_by(days=days)
    late, second = ids(NOON_NS, NOON_NS + days * DAY_NS)
    assert first[0] == first[1] != second
    assert all(re.fullmatch(r"installation-[0-9a-f]{32}", each) for each in (*first, second))
    assert late.startswith("unlinked-")
    assert counts == [0, 1]


def test_row_rotation_and_instance_id() -> None:
    """`INSTANCE_ID` is one id for ever: together with `installation_rotation` nothing starts, and the line says why."""
    policy = Policy(installation_rotation=InstallationRotation.MONTHLY)
    with pytest.raises(ConfigurationError, match="unset INSTANCE_ID, or write `installation_rotation: never`"):
        read_settings({"INSTANCE_ID": "acme-prod"}, policy=policy)
    assert read_settings({}, policy=policy).policy.installation_rotation is InstallationRotation.MONTHLY
    assert read_settings({"INSTANCE_ID": "acme-prod"}).policy.installation_rotation is InstallationRotation.NEVER


def test_row_anonymous(tmp_path: Path) -> None:
    """`anonymous` is `installation`: in the environment, in a policy, in code; nothing that is shown is called so."""
    assert (
        read_settings({"OTEL_POSTHOG_IDENTITY": "anonymous"})
        == read_settings({"OTEL_POSTHOG_IDENTITY": "installation"})
        == read_settings({})
    )
    path = tmp_path / "policy.yaml"
    path.write_text("identity: anonymous\ndestinations: [{identity: anonymous}]\n", encoding="utf-8")
    policy = read_settings({}, policy=str(path)).policy
    assert {policy.identity, policy.destinations[0].identity} == {IdentityMode.INSTALLATION}
    assert IdentityMode.ANONYMOUS is IdentityMode("anonymous") is IdentityMode("installation")
    assert IdentityMode.ANONYMOUS.value == "installation"


def test_row_rotation_keeps_choice(tmp_path: Path) -> None:
    """`installation_rotation` takes neither the mark of the notice nor an opt-out along."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    assert load_installation(environ).claim_notice()
    assert CollectionChoice(tmp_path).choose(enabled=False)
    clock = Clock()
    ids = RotatingIds(tmp_path, clock)
    for _ in range(3):
        ids.at(InstallationRotation.WEEKLY, unix_ns(clock.now))
        clock.pass_by(days=400)
    assert not load_installation(environ).claim_notice()
    assert CollectionChoice(tmp_path).is_off()


def test_row_installation_mode(tmp_path: Path) -> None:
    """`installation`: the installation's id, kept or given, hashed."""
    kept = [load_installation({"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}).distinct_id for _ in range(2)]
    given = load_installation({"OTEL_POSTHOG_STATE_DIR": str(tmp_path), "INSTANCE_ID": "acme-prod"}).distinct_id
    assert kept[0] == kept[1] != given
    assert all(re.fullmatch(r"installation-[0-9a-f]{32}", each) for each in (*kept, given))
    assert sent(IdentityMode.INSTALLATION)["distinct_id"] == "installation-1"


def test_row_daily(tmp_path: Path) -> None:
    """`daily`: one id for all of a user's events of a day, another the next; the salt between them is gone."""
    clock = Clock()
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, clock))
    first = {pseudonyms.daily("u-4711", NOON_NS + n) for n in range(3)}
    clock.pass_by(days=1)
    second = pseudonyms.daily("u-4711", NOON_NS + DAY_NS)
    assert len(first) == 1
    assert second is not None
    assert second[-32:] not in str(first)
    assert pseudonyms.daily("u-4711", NOON_NS) is None


def test_row_pseudonymous() -> None:
    """`pseudonymous`: the same user, the same id, by the event's time; another key, another id."""
    keys = ring(f"{KEY},2026-01-02 {NEXT_KEY}")
    found = [
        with_pseudonyms(event(subject=Subject(user_id="u-4711"), time_ns=time_ns), Pseudonyms(keys=keys), pytest.fail)
        for time_ns in (NOON_NS - DAY_NS, NOON_NS - DAY_NS, NOON_NS)
    ]
    ids = [each.subject.user_id for each in found]
    assert ids[0] == ids[1] != ids[2]
    assert "4711" not in str(ids)


NAMED_AS_IDS: dict[str, Any] = {
    "user_id": "u-0815",
    "userId": 815,
    "user.id": "u-0815",
    "session_id": "s-99-0815",
    "session.previous_id": "s-99-0815",
    "deviceId": "d-0815",
    "form": {"visitor-id": "v-0815", "ok": 1},
    "user": {"id": "u-0815", "plan": "pro"},
    "users": [{"id": "u-0815"}, {"uuid": "u-0815"}],
    "user_ids": ["u-0815"],
    "raw": '{"user_id": "u-0815", "n": 1}',
    "url": "https://x.example/?user_id=0815&page=2",
    "line": "ok user.id=u-0815 n=1",
    "person": "x",
}


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_row_id_keys(mode: IdentityMode) -> None:
    """`privacy.id_keys`: what is named as an id goes wherever no id is sent, of events and persons; a count stays."""
    privacy = replace(PrivacyPolicy(), allow=frozenset({"session.id"}))
    made = Pseudonyms(keys=ring())
    with Telemetry(mode, pseudonyms=made, privacy=privacy) as app:
        given = {f"analytics.property.{key}": value for key, value in NAMED_AS_IDS.items()}
        kept: dict[str, Any] = {
            "analytics.user_id_count": 815,
            "analytics.has_user_id": True,
            "analytics.order_id": "o-1",
        }
        person = {"analytics.user.set.device_id": "d-0815", "session.id": "s-99-0815"}
        app.tracer.start_span("op", attributes={**MARKED, **given, **kept, **person}).end()
    properties = app.only["properties"]
    assert (properties["user_id_count"], properties["has_user_id"], properties["order_id"]) == (815, True, "o-1")
    # The digits of an id may stand in a random one, too.
    random = {"user_id_count": 0, "$trace_id": "", "$span_id": ""}
    left = json.dumps({**app.only, "uuid": "", "properties": {**properties, **random}}).replace(app.only["uuid"], "")
    assert ("0815" in left) is (mode is IdentityMode.IDENTIFIED)
    if mode is not IdentityMode.IDENTIFIED:
        assert properties["form"] == {"ok": 1}
        assert properties["user"] == {"plan": "pro"}
        assert app.health.actions()["id_key", "removed"] >= 9


def test_a_policy_may_have_other_names_of_ids() -> None:
    """More of them, none, or one that a rule keeps; for one destination of two as well."""
    given = {"analytics.event": "e", "analytics.customer_id": "c-1", "analytics.user_id": "u-0815"}

    def sent_under(**policy: Any) -> list[dict[str, Any]]:
        with Telemetry(IdentityMode.INSTALLATION, **policy) as app:
            app.tracer.start_span("op", attributes=given).end()
        return [{key: each["properties"].get(key) for key in ("customer_id", "user_id")} for each in app.events]

    ids = PrivacyPolicy().id_keys
    assert sent_under(privacy=PrivacyPolicy(id_keys=ids | {"customer id"})) == [{"customer_id": None, "user_id": None}]
    assert sent_under(privacy=PrivacyPolicy(id_keys=frozenset())) == [{"customer_id": "c-1", "user_id": "u-0815"}]
    keep = PrivacyPolicy(rules=(Rule(keys=("user_id",), method=Method.KEEP),))
    assert sent_under(privacy=keep) == [{"customer_id": "c-1", "user_id": "u-0815"}]
    vendor = Destination("vendor", api_key="phc_v", host=NOWHERE)
    own = Destination("own", api_key="phc_o", host=NOWHERE, privacy=PrivacyPolicy(id_keys=frozenset()))
    assert [each["user_id"] for each in sent_under(destinations=(vendor, own))] == [None, "u-0815"]


def test_row_identified() -> None:
    """`identified`: the user id as it is."""
    assert sent(IdentityMode.IDENTIFIED)["distinct_id"] == "u-4711"


def test_row_anonymize_user_ids() -> None:
    """`ANALYTICS_ANONYMIZE_USER_IDS`: `installation` and `identified`; it contradicts no finer choice, weakens none."""

    def mode(environ: dict[str, str], policy: IdentityMode = IdentityMode.DAILY) -> IdentityMode:
        return read_settings(environ, policy=Policy(identity=policy)).policy.identity

    name, finer = "ANALYTICS_ANONYMIZE_USER_IDS", "OTEL_POSTHOG_IDENTITY"
    assert [mode({name: word}) for word in ("true", "0")] == [IdentityMode.INSTALLATION, IdentityMode.IDENTIFIED]
    assert mode({name: "true"}, IdentityMode.UNLINKED) is IdentityMode.UNLINKED
    assert mode({}) is IdentityMode.DAILY
    assert mode({name: "true", finer: "daily"}) is IdentityMode.DAILY
    for both in ({name: "true", finer: "identified"}, {name: "false", finer: "daily"}):
        with pytest.raises(ConfigurationError, match="contradict each other"):
            mode(both)


def test_row_next_public(caplog: pytest.LogCaptureFixture) -> None:
    """`NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS` must match; a mismatch is a line of its own."""
    environ = {"ANALYTICS_ANONYMIZE_USER_IDS": "true", "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "false"}
    log.log_start(POLICY, Collection(enabled=True), environ)
    assert "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS differ" in caplog.text


def test_row_keys() -> None:
    """`OTEL_POSTHOG_IDENTITY_KEYS_FILE` and its like: without a key of 32 bytes `pseudonymous` does not start."""
    with pytest.raises(
        ConfigurationError, match="needs a key of 32 bytes or more; make one with `openssl rand -hex 32`"
    ):
        read_settings({"OTEL_POSTHOG_IDENTITY": "pseudonymous"})
    with pytest.raises(ConfigurationError, match="a key of 5 bytes; 32 are needed"):
        read_settings({"OTEL_POSTHOG_IDENTITY": "pseudonymous", "OTEL_POSTHOG_IDENTITY_KEYS": "short"})
    with pytest.raises(ConfigurationError, match="must be one of unlinked, installation, anonymous, daily"):
        read_settings({"OTEL_POSTHOG_IDENTITY": "nobody"})
    settings = read_settings({"OTEL_POSTHOG_IDENTITY": "pseudonymous", "OTEL_POSTHOG_IDENTITY_KEYS": KEY})
    assert settings.keys is not None
    assert KEY not in repr(settings)


def test_row_api_key() -> None:
    """`POSTHOG_API_KEY`, or a key that the product embeds in its policy, switches collection on."""
    assert not read_settings({}).collection.enabled
    assert read_settings({"POSTHOG_API_KEY": "phc_x"}).collection.enabled
    assert read_settings({}, policy=Policy(destinations=(Destination(api_key="phc_x"),))).collection.enabled


@pytest.mark.parametrize(
    "switch",
    ["OTEL_POSTHOG_ENABLED=false", "USAGE_STATS=false", "ALGA_USAGE_STATS=false", "DO_NOT_TRACK=1"],
)
def test_row_switches(switch: str) -> None:
    """`USAGE_STATS=false`, an alias in the policy, `DO_NOT_TRACK=1`: any one wins, and the line names it."""
    name, _, value = switch.partition("=")
    others = {"OTEL_POSTHOG_ENABLED": "true", "USAGE_STATS": "true", "DO_NOT_TRACK": "0"}
    decision = decide(POLICY, {**others, name: value})
    assert start_line(POLICY, decision) == f"Usage statistics disabled by {switch}"


def test_row_start_line() -> None:
    """`Usage statistics enabled (user IDs anonymized)` for every mode that hides them, else `preserved`."""
    on = Collection(enabled=True)
    for mode in IdentityMode:
        kept = "preserved" if mode is IdentityMode.IDENTIFIED else "anonymized"
        assert start_line(POLICY.with_identity(mode), on) == f"Usage statistics enabled (user IDs {kept})"


def test_row_line_is_seen(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """The line `goes to the log`, or where that hides INFO to standard error, once for a program and its children."""
    line = "Usage statistics enabled (user IDs anonymized)\n"
    environ: dict[str, str] = {}

    def told() -> str:
        log.log_start(POLICY, Collection(enabled=True), environ)
        return capsys.readouterr().err

    assert told() == line
    child = {name: value.replace(str(os.getpid()), "1", 1) for name, value in environ.items()}
    assert told() == line  # the same process, replaced by exec
    environ = child
    assert told() == ""
    environ = {"OTEL_POSTHOG_TOLD": "1 Usage statistics disabled by USAGE_STATS=false"}
    assert told() == line
    caplog.set_level(logging.INFO)
    environ = {}
    assert told() == ""
    assert caplog.messages == [line.strip()]


def test_row_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`notice_text()` and the box of the first start say the same, and the box comes once per installation."""
    installation = load_installation({"OTEL_POSTHOG_STATE_DIR": str(tmp_path)})
    for expected in (True, False):
        log.log_first_run(POLICY, installation)
        shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
        assert (notice_text(POLICY).split("\n\n")[1] in shown) is expected
    assert "USAGE_STATS=false" in otel_posthog.notice_text()


def test_row_analytics_consent() -> None:
    """`analytics.consent` = false on the event or its span: not sent."""
    with Telemetry() as app:
        app.tracer.start_span("op", attributes={**MARKED, "analytics.consent": False}).end()
        with app.tracer.start_as_current_span("op", attributes={"analytics.consent": False}) as span:
            span.add_event("analytics.inside")
    assert (app.names, app.dropped) == ([], {"consent": 2})


def test_row_user_context_consent() -> None:
    """`user_context(consent=False)`: not sent, whatever is said further inside."""
    with Telemetry() as app, user_context(consent=False), user_context("u1", consent=True):
        app.tracer.start_span("op", attributes=MARKED).end()
    assert (app.names, app.dropped) == ([], {"consent": 1})


@pytest.mark.parametrize("no", [False, 0, 0.0, "no", "false", "", " FALSE ", "maybe", [], b"1"])
def test_row_consent_no_bool(no: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is `not plainly a yes` is a denial, in functions as in attributes; a yes is one, and None says nothing."""
    collection = CollectionPolicy(consent_required=True)
    with Telemetry().use_for_capture(monkeypatch) as app:
        for user in (None, "u1"):
            with request_in(app):
                otel_posthog.set_user(user, consent=no)
                otel_posthog.capture("e", distinct_id=user)
            with user_context(user, consent=no):
                otel_posthog.capture("e")
        otel_posthog.capture("e", {"analytics.consent": no})
    assert (app.names, app.dropped) == ([], {"consent": 5})
    with Telemetry(collection=collection).use_for_capture(monkeypatch) as app:
        for yes in (True, "yes", " Granted "):
            with user_context("u1", consent=yes):  # type: ignore[arg-type]
                otel_posthog.capture("e")
            otel_posthog.capture("e", {"analytics.consent": yes})
        otel_posthog.capture("e", {"analytics.consent": None})
    assert (app.names, app.dropped) == (["e"] * 6, {"consent": 1})


@pytest.mark.parametrize("denied", ["anon-1", "u2"])
def test_row_consent_alias(denied: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alias needs the consent of `both ids`, and is withheld where either denied it."""
    for required, consent in ((False, False), (True, True)):
        collection = CollectionPolicy(consent_required=required)
        with Telemetry(collection=collection).use_for_capture(monkeypatch) as app, request_in(app):
            otel_posthog.set_user(denied, consent=consent)
            otel_posthog.alias("anon-1", "u2")
            app.logger.emit(event_name="analytics.e", attributes={"analytics.user.id": "u2", ALIAS: "anon-1"})
        assert (app.names, app.dropped) == ([], {"consent": 3})
    with (
        Telemetry(collection=CollectionPolicy(consent_required=True)).use_for_capture(monkeypatch) as app,
        user_context("anon-1", consent=True),
        user_context("u2", consent=True),
    ):
        otel_posthog.alias("anon-1")
    assert app.names == ["$create_alias"]


def test_row_baggage_consent() -> None:
    """`analytics.consent=false` in baggage: not sent, where baggage is accepted; else it is nobody's word."""
    token = context_api.attach(baggage.set_baggage("analytics.consent", "false"))
    try:
        for accepts in (False, True):
            use_baggage(Baggage(accepts=accepts))
            with Telemetry() as app:
                app.tracer.start_span("op", attributes=MARKED).end()
            assert app.names == ([] if accepts else ["e"])
    finally:
        use_baggage(Baggage())
        context_api.detach(token)


def test_row_sec_gpc() -> None:
    """`Sec-GPC: 1`: nothing of that request is sent."""
    with (
        Telemetry() as app,
        app.tracer.start_as_current_span("GET /", attributes={"http.request.header.sec_gpc": ("1",)}),
        app.tracer.start_as_current_span("op", attributes=MARKED),
    ):
        app.logger.emit(event_name="analytics.logged")
    assert (app.names, app.dropped) == ([], {"consent": 2})


ALIAS = "analytics.user.alias"


def request_in(app: Telemetry, **attributes: Any) -> Any:
    """Open a request."""
    return app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=attributes)


def test_row_dnt() -> None:
    """`DNT: 1`: nothing of that request is sent, unless the policy leaves the header unheeded."""
    for heeded in (True, False):
        with Telemetry(collection=CollectionPolicy(heed_dnt=heeded)) as app:
            with request_in(app, **{"http.request.header.dnt": ("1",)}):
                app.logger.emit(event_name="analytics.e")
            assert app.names == ([] if heeded else ["e"])


def test_row_set_user() -> None:
    """`set_user("u-1")`: who acts in the rest of the request, and nowhere else."""
    with Telemetry() as app:
        with request_in(app, **{"analytics.event": "server"}), app.tracer.start_as_current_span("inside"):
            app.logger.emit(event_name="analytics.before")
            assert otel_posthog.set_user("u-1")
            app.logger.emit(event_name="analytics.after")
        assert not otel_posthog.set_user("u-2")
        app.logger.emit(event_name="analytics.outside")
    who = {each["event"]: each["distinct_id"] for each in app.events}
    assert who == {"before": "installation-1", "after": "u-1", "server": "u-1", "outside": "installation-1"}


def test_row_user_context_request() -> None:
    """`user_context("u-1")` below the instrumentation: the server's own span is that user's."""
    with Telemetry() as app, request_in(app, **{"analytics.event": "server"}), user_context("u-1"):
        pass
    assert app.only["distinct_id"] == "u-1"


def test_row_request_span() -> None:
    """`analytics.user.id` and the rest on the request's span: all that is inside it is that user's."""
    with Telemetry() as app, request_in(app, **{"analytics.user.id": "u-1"}) as server:
        app.logger.emit(event_name="analytics.first")
        with app.tracer.start_as_current_span("inside"):
            server.set_attributes({"analytics.user.id": "u-2", "analytics.group.company": "acme"})
            server.set_attributes({"window.id": "w-2", "analytics.session.id": "s-2"})
            server.set_attribute("analytics.window.id", "w-1")
            server.set_attribute("window.id", "w-3")
            app.logger.emit(event_name="analytics.second")
    assert [each["distinct_id"] for each in app.events] == ["u-1", "u-2"]
    assert app.events[1]["properties"]["$groups"] == {"company": "acme"}
    assert (app.events[1]["properties"]["session_id"], app.events[1]["window_id"]) == ("s-2", "w-1")


def test_row_blocks() -> None:
    """A block of `user_context` that is left in the wrong order ends itself only."""
    with Telemetry() as app:
        first, second = user_context("u-1"), user_context("u-2")
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        app.logger.emit(event_name="analytics.e")
        second.__exit__(None, None, None)
        app.logger.emit(event_name="analytics.e")
    assert [each["distinct_id"] for each in app.events] == ["u-2", "installation-1"]


def test_row_request_consent() -> None:
    """`set_user(consent=False)` and its like: everything later in the request is withheld, whoever acts."""
    with Telemetry() as app:
        with request_in(app, **{"analytics.event": "server"}):
            app.logger.emit(event_name="analytics.before")
            otel_posthog.set_user(consent=False)
            otel_posthog.set_user("u-1", consent=True)
            app.logger.emit(event_name="analytics.after")
        with request_in(app):
            app.logger.emit(event_name="analytics.next")
    assert app.names == ["before", "next"]


def test_row_consent_by_name() -> None:
    """`set_user("u-1", consent=False)` and its like: that user's events and nobody else's."""
    with Telemetry() as app, request_in(app, **{"analytics.user.id": "u-1", "analytics.consent": False}):
        otel_posthog.set_user("u-2", consent=False)
        with user_context("u-3", consent=False):
            for user in ("u-1", "u-2", "u-3", "u-4"):
                app.logger.emit(event_name="analytics.e", attributes={"analytics.user.id": user})
    assert app.only["distinct_id"] == "u-4"


def test_row_denial_travels(tmp_path: Path) -> None:
    """`A denial travels`: of a request with `Sec-GPC`, where a pseudonym would."""
    policy = Policy(identity=IdentityMode.PSEUDONYMOUS, identity_baggage=Carried.SEND, destinations=POLICY.destinations)
    before = get_global_textmap()
    try:
        propagate_actor(policy, Pseudonyms(keys=ring()), CollectionChoice(tmp_path), Guard(Health()))
        with Telemetry() as app, request_in(app) as server, user_context("u-4711"):
            for objects in (False, True):
                server.set_attribute("http.request.header.sec_gpc", "1" if objects else "0")
                headers: dict[str, str] = {}
                inject(headers)
                assert (headers["baggage"] == "analytics.consent=false") is objects
    finally:
        use_baggage(Baggage())
        set_global_textmap(before)


def test_row_consent_required() -> None:
    """`collection.consent_required: true`: silence is a denial."""
    with Telemetry(collection=CollectionPolicy(consent_required=True)) as app:
        app.tracer.start_span("op", attributes=MARKED).end()
        app.tracer.start_span("op", attributes={**MARKED, "analytics.consent": True}).end()
    assert (app.names, app.dropped) == (["e"], {"consent": 1})


def test_row_context_key() -> None:
    """`user_context()` reaches what starts inside, and no propagator knows of it."""
    with Telemetry() as app, user_context("u-0815"):
        assert baggage.get_all() == {}
        app.tracer.start_span("op", attributes={"analytics.event": "e"}).end()
    assert app.only["distinct_id"] == "u-0815"


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
@pytest.mark.parametrize("user", ["u1", None])
def test_row_consent_owner(kind: SpanKind, user: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consent stays with the id that it was `said with`: whoever comes to act on its span later needs another one."""
    collection = CollectionPolicy(consent_required=True)
    given: dict[str, Any] = {"analytics.event": "e", "analytics.consent": True}
    with Telemetry(collection=collection).use_for_capture(monkeypatch) as app:
        with app.tracer.start_as_current_span("op", kind=kind, attributes=given) as span:
            for each in ("u1", "u2") if user is None else ("u2",):
                if user is not None:
                    span.set_attribute("analytics.user.id", user)
                span.set_attribute("analytics.user.id", each)
                otel_posthog.capture(each)
            span.add_event("analytics.noted")
        assert app.names == (["u1"] if user is None else [])


def test_row_consent_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consent of nobody is that of `the first` who comes to act: by call, block, item or attribute."""
    collection = CollectionPolicy(consent_required=True)
    users = ("u3", "u4", "u3")

    def names(say: Any) -> list[str]:
        with Telemetry(collection=collection).use_for_capture(monkeypatch) as app, say:
            for each in users:
                with user_context(each):
                    otel_posthog.capture(each)
            for each in users:
                otel_posthog.capture(each, distinct_id=each)
        return app.names

    assert names(user_context(consent=True)) == ["u3"] * 4
    with Telemetry(collection=collection).use_for_capture(monkeypatch) as app:
        for by_attribute in (False, True):
            with request_in(app, **({"analytics.consent": True} if by_attribute else {})):
                if not by_attribute:
                    otel_posthog.set_user(consent=True)
                for each in users:
                    otel_posthog.set_user(each)
                    otel_posthog.capture(each)
    assert app.names == ["u3"] * 4
