"""The user of a request, as a framework's hooks tell it: adopted where the app has loaded them, else loaded once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from telemetry import NOBODY, Telemetry

from otel_posthog import capture, set_user, set_user_source, user_context
from otel_posthog.actor import request as module
from otel_posthog.actor import request_user
from otel_posthog.actor.context import Baggage, use_baggage
from otel_posthog.actor.request import Request, begin_request, logged_in, logged_out
from otel_posthog.actor.request_user import RequestUser
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT
from otel_posthog.model import ContextIdentity, Signal, Source
from otel_posthog.policy import Durability, FrozenMap, IdentityMode
from otel_posthog.policy.sections.collection import CollectionPolicy
from otel_posthog.policy.sections.delivery import DeliveryPolicy
from otel_posthog.policy.sections.derive import DeriveConditions, DeriveKind, DeriveRule, ValueCondition
from otel_posthog.policy.sections.identity import IdentityUser
from otel_posthog.setup.propagator import ActorPropagator

PAGE = DeriveRule(
    "page",
    "page_viewed",
    DeriveConditions(
        kind=(DeriveKind.SERVER,), attributes=FrozenMap({"http.response.status_code": ValueCondition(one_of=("200",))})
    ),
)


class Site:
    """What a framework knows of the user of one request."""

    def __init__(self, loads: object = "ada") -> None:
        self.loaded: object = None
        self.loads, self.asked = loads, 0

    def adopt(self) -> object:
        """Return whom the app has loaded."""
        return self.loaded

    def resolve(self) -> object:
        """Load the user."""
        self.asked += 1
        self.loaded = self.loads
        return self.loads

    def begin(self, **headers: str) -> Request:
        """Begin a request."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        made = begin_request(lambda name: named.get(name.lower()), self.adopt, self.resolve)
        assert made is not None
        return made


@pytest.fixture(params=["span around the hook", "span inside the hook", "no span"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry; the request's span is where an instrumentation makes it, or there is none."""
    with Telemetry() as made:
        made.where = request.param  # type: ignore[attr-defined]
        yield made.use_for_capture(monkeypatch).use_for_requests(monkeypatch)


def serve(app: Telemetry, site: Site, view: Callable[[], object], status: int = 200, **headers: str) -> None:
    """Serve one request."""
    where = getattr(app, "where", "span around the hook")
    kind, attributes = SpanKind.SERVER, {"http.request.method": "GET"}
    if where == "no span":
        hooked(site, view, status, **headers)
    elif where == "span around the hook":
        with app.tracer.start_as_current_span("GET /", kind=kind, attributes=attributes) as span:
            hooked(site, view, status, **headers)
            span.set_attribute("http.response.status_code", status)
    else:
        # Of headers, as instrumentations do.
        def inside() -> None:
            with app.tracer.start_as_current_span("GET /", Context(), kind, attributes) as span:
                view()
                span.set_attribute("http.response.status_code", status)

        hooked(site, inside, status, **headers)


def hooked(site: Site, view: Callable[[], object], status: int, **headers: str) -> None:
    """Do as a framework's hooks do around its view."""
    request = site.begin(**headers)
    try:
        view()
        request.answer(status)
    finally:
        request.end()


def who(app: Telemetry) -> dict[str, str]:
    """Return the events, and who each is about."""
    return {each["event"]: each["distinct_id"] for each in app.events}


def test_a_user_is_loaded_once_and_for_requests_with_events_only(app: Telemetry) -> None:
    """Two events, one look; and none in the request after it, whatever operational telemetry that makes."""
    site = Site()

    def view() -> None:
        capture("one")
        with app.tracer.start_as_current_span("work", attributes={"analytics.event": "two"}):
            assert site.asked == 0

    serve(app, site, view)
    assert (who(app), site.asked) == ({"one": "ada", "two": "ada"}, 1)
    quiet = Site()
    serve(app, quiet, lambda: app.span("operational"))
    assert quiet.asked == 0


def test_a_user_whom_the_app_has_loaded_is_adopted(app: Telemetry) -> None:
    """An event leaves at once then, and nobody asks for more; the same of one who is known to be nobody."""
    for loaded, known_as in (("bob", "bob"), ("", NOBODY), (7, "7")):
        site = Site()
        site.loaded = loaded

        def view() -> None:
            capture("one")
            assert who(app) == {"one": known_as}  # noqa: B023
            app.events.clear()

        serve(app, site, view)
        assert site.asked == 0


@pytest.mark.parametrize("says", [set_user, user_context])
def test_what_the_app_says_itself_wins(says: Callable[..., Any], app: Telemetry) -> None:
    """And nobody is asked."""
    site = Site()

    def view() -> None:
        if says is set_user:
            assert set_user("said")
            capture("one")
        else:
            with user_context("said"):
                capture("one")
        capture("two", distinct_id="named")

    serve(app, site, view)
    assert (who(app), site.asked) == ({"one": "said", "two": "named"}, 0)


def test_who_logs_in_has_what_follows_and_nothing_before(app: Telemetry) -> None:
    """With the hook of the log-in, and the next event finds the user loaded."""
    site = Site("mallory")

    def view() -> None:
        capture("before")
        logged_in()
        site.loaded = "ada"
        capture("after")

    serve(app, site, view)
    assert (who(app), site.asked) == ({"before": NOBODY, "after": "ada"}, 0)


def test_who_logs_out_has_what_was_before_and_the_request_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the app does afterwards is nobody's; the request's own span says who asked to be logged out."""
    with Telemetry(derive=(PAGE,)) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        site = Site("mallory")

        def view() -> None:
            capture("before")
            logged_out("ada")
            site.loaded = ""
            capture("after")

        serve(app, site, view)
    assert (who(app), site.asked) == ({"before": "ada", "after": NOBODY, "page_viewed": "ada"}, 0)


@pytest.mark.parametrize("where", ["span around the hook", "span inside the hook"])
def test_the_requests_own_event_has_its_user_who_is_loaded_before_the_response(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where its rule may hold: not for another status. A span inside the hook has ended by then, and waits."""
    with Telemetry(derive=(PAGE,)) as app:
        app.where = where  # type: ignore[attr-defined]
        app.use_for_requests(monkeypatch)
        found, missing = Site(), Site()
        serve(app, found, lambda: None)
        serve(app, missing, lambda: None, status=404)
    assert (who(app), found.asked, missing.asked) == ({"page_viewed": "ada"}, 1, 0)


@pytest.mark.parametrize("fails", ["adopt", "resolve"])
def test_an_error_of_the_apps_code_is_counted_and_costs_the_user_only(
    fails: str, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is raised into the request, and the event is sent as nobody's, or as whom the other function knows."""
    monkeypatch.setattr(Guard, "reraise", False)
    site = Site()

    def fail() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(site, fails, fail)
    serve(app, site, lambda: capture("one"))
    assert who(app) == {"one": "ada" if fails == "adopt" else NOBODY}
    assert app.counted(FAULT).keys() == {f"user_{fails}:RuntimeError"}


def test_who_loads_the_user_may_make_events_and_spans(app: Telemetry) -> None:
    """They wait as well, and nobody asks again."""
    site = Site()
    resolve = site.resolve

    def noisy() -> object:
        capture("inside")
        with app.tracer.start_as_current_span("query", attributes={"analytics.event": "query"}):
            pass
        return resolve()

    site.resolve = noisy  # type: ignore[method-assign]
    serve(app, site, lambda: capture("one"))
    assert (who(app), site.asked) == (dict.fromkeys(("one", "inside", "query"), "ada"), 1)


def test_an_event_of_another_thread_waits_and_loads_nothing_there(app: Telemetry) -> None:
    """A thread with the request's context; the user is loaded on the request's own."""
    site, threads = Site(), []
    resolve = site.resolve

    def noting() -> object:
        threads.append(threading.get_ident())
        return resolve()

    site.resolve = noting  # type: ignore[method-assign]

    def view() -> None:
        thread = threading.Thread(target=copy_context().run, args=(capture, "one"))
        thread.start()
        thread.join()

    serve(app, site, view)
    assert (who(app), threads) == ({"one": "ada"}, [threading.get_ident()])


def test_in_a_loop_what_loads_the_user_is_awaited(app: Telemetry) -> None:
    """An event that came before waits for it; nothing that blocks is called while the view runs."""
    site = Site()

    async def resolve() -> object:
        await asyncio.sleep(0)
        return site.resolve()

    async def ask() -> None:
        request = begin_request(None, site.adopt, resolve)
        assert request is not None
        capture("one")
        assert (app.events, site.asked) == ([], 0)
        await request.answer_async(200)
        assert who(app) == {"one": "ada"}
        request.end()

    asyncio.run(ask())
    assert site.asked == 1


def test_events_that_are_too_many_to_wait_go_with_the_user(app: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is loaded then, on the request's own thread."""
    monkeypatch.setattr(request_user, "MAX_HELD", 3)
    site = Site()

    def view() -> None:
        for number in range(4):
            capture(f"e{number}")
        assert site.asked == 1

    serve(app, site, view)
    assert who(app) == {f"e{number}": "ada" for number in range(4)}


def test_an_event_of_a_request_that_ends_without_a_response_goes_as_nobodys(app: Telemetry) -> None:
    """As where the client is gone; nothing is loaded for it."""
    site = Site()

    def view() -> None:
        capture("one")
        raise GeneratorExit

    with pytest.raises(GeneratorExit):
        serve(app, site, view)
    assert (who(app), site.asked) == ({"one": NOBODY}, 0)


@pytest.mark.parametrize(
    ("mode", "sends"), [(mode, mode.tells_users_apart) for mode in IdentityMode if mode.value != "pseudonymous"]
)
def test_nobody_is_loaded_where_no_user_is_told_from_another(
    mode: IdentityMode, sends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `unlinked` and `installation` it would be for nothing."""
    with Telemetry(mode) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        site = Site()
        serve(app, site, lambda: capture("one"))
    assert site.asked == sends


@pytest.mark.parametrize("headers", [{"Sec_GPC": "1"}, {"DNT": "1"}, {"Sec_GPC": "x, 0"}])
def test_a_browser_that_objects_is_heeded_without_an_instrumentation(headers: dict[str, Any], app: Telemetry) -> None:
    """And nobody is loaded for events that are dropped."""
    site = Site()
    serve(app, site, lambda: capture("one"), **headers)
    assert (app.events, app.dropped, site.asked) == ([], {"consent": 1}, 0)
    serve(app, Site(), lambda: capture("two"), Sec_GPC="0", DNT="0")
    assert who(app) == {"two": "ada"}


@pytest.mark.parametrize("believes", [False, True])
def test_a_browsers_distinct_id_counts_where_the_policy_says_so_and_nobody_is_logged_in(
    believes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session and its window count in any case; what is no id of a browser's does not."""
    session, window = "0193a1b2-0000-7000-8000-000000000000", "0193a1b2-0000-7000-8000-000000000001"
    with Telemetry(identity_user=IdentityUser(believes_browser=believes)) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        sent: dict[str, Any] = {"X_POSTHOG_DISTINCT_ID": "anon-1", "X_POSTHOG_SESSION_ID": session}
        sent["X_POSTHOG_WINDOW_ID"] = window
        serve(app, Site(""), lambda: capture("nobody"), **sent)
        serve(app, Site(), lambda: capture("somebody"), **sent)
        odd: dict[str, Any] = {
            "X_POSTHOG_DISTINCT_ID": "a b",
            "X_POSTHOG_SESSION_ID": "x" * 300,
            "X_POSTHOG_WINDOW_ID": "a\nb",
        }
        serve(app, Site(""), lambda: capture("odd"), **odd)
        serve(app, Site(""), lambda: capture("mail"), X_POSTHOG_DISTINCT_ID="ada@example.org")
    assert who(app) == {"nobody": "anon-1" if believes else NOBODY, "somebody": "ada", "odd": NOBODY, "mail": NOBODY}
    sessions = {each["event"]: each["properties"].get("session_id") for each in app.events}
    assert sessions.pop("odd") is sessions.pop("mail") is None
    assert sessions == {"nobody": session, "somebody": session}
    windows = {each["event"]: each["window_id"] for each in app.events if "window_id" in each}
    assert windows == {"nobody": window, "somebody": window}


def test_a_window_alone_is_taken(app: Telemetry) -> None:
    """Of a request that names no session, and only in that request."""
    serve(app, Site(), lambda: capture("one"), X_POSTHOG_WINDOW_ID="window-4711")
    serve(app, Site(), lambda: capture("two"))
    assert [each.get("window_id") for each in app.events] == ["window-4711", None]


@pytest.mark.parametrize("takes", [False, True])
def test_an_email_address_is_no_id_unless_the_policy_says_so(takes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adopted or loaded."""
    mail = "ada" + "@example.org"
    with Telemetry(identity_user=IdentityUser(takes_emails=takes)) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        site = Site(mail)
        serve(app, site, lambda: capture("loaded"))
        site.loaded = mail
        serve(app, site, lambda: capture("adopted"))
    assert who(app) == dict.fromkeys(("loaded", "adopted"), mail if takes else NOBODY)


def test_a_function_of_the_apps_own_is_asked_in_the_place_of_the_frameworks(app: Telemetry) -> None:
    """Named in a request; outside of one nothing is said."""
    site = Site()
    assert not set_user_source(lambda: "bob")

    def view() -> None:
        assert set_user_source(resolve=lambda: "bob")
        capture("one")

    serve(app, site, view)
    assert (who(app), site.asked) == ({"one": "bob"}, 0)


def test_a_consent_that_named_nobody_is_the_users_who_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the app says who acts itself; and a denial is heeded without a look."""
    with Telemetry(collection=CollectionPolicy(consent_required=True)) as app:
        app.use_for_capture(monkeypatch).use_for_requests(monkeypatch)

        def view() -> None:
            set_user(consent=True)
            capture("one")

        serve(app, Site(), view)
        denied = Site()

        def denying() -> None:
            set_user(consent=False)
            capture("two")

        serve(app, denied, denying)
    assert (who(app), denied.asked) == ({"one": "ada"}, 0)


def test_hooks_do_nothing_where_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set up, or opted out of."""
    monkeypatch.setattr(module, "_requests", None)
    assert begin_request(None, lambda: "ada") is None
    module.use_requests(module.Requests(caught=lambda place, error: None, is_off=lambda: True))
    assert begin_request(None, lambda: "ada") is None


def test_requests_inside_one_another_are_one(app: Telemetry) -> None:
    """A framework mounted in another: the outer one ends it, whoever knows the user."""
    outer, inner = Site(), Site("inner")

    def view() -> None:
        hooked(inner, lambda: capture("one"), 200)
        capture("two")

    serve(app, outer, view)
    assert who(app) == {"one": "inner", "two": "inner"}


def test_the_operational_side_knows_no_user(app: Telemetry) -> None:
    """Nothing is set on a span or a log record."""
    sent: dict[str, Any] = {
        "X_POSTHOG_SESSION_ID": "0193a1b2-0000-7000-8000-000000000000",
        "X_POSTHOG_WINDOW_ID": "window-4711",
    }
    serve(app, Site(), lambda: capture("one"), **sent)
    exported = [span.to_json() for span in app.spans.get_finished_spans()]
    assert not [each for each in exported if "ada" in each or "0193a1b2" in each or "window" in each]


def test_a_request_leaves_nothing_behind(app: Telemetry) -> None:
    """The next one on the thread begins with nobody, and what is outside of both is in none."""
    serve(app, Site(), lambda: capture("one"))
    capture("between")
    serve(app, Site(""), lambda: capture("two"))
    assert who(app) == {"one": "ada", "between": NOBODY, "two": NOBODY}
    assert not trace.get_current_span().is_recording()
    assert not set_user("u-1")


@pytest.mark.parametrize("durability", Durability)
def test_no_event_waits_where_it_is_to_be_on_disk_when_the_call_returns(durability: Durability) -> None:
    """With `write_through` the user is loaded at once; the pipeline asks for that."""
    asked = list[bool]()

    class Unknown:
        def hold(self, submit: object, signal: Signal, *, may_wait: bool = True) -> bool:
            asked.append(may_wait)
            return True

    signal = Signal(Source.LOG, "e", {}, 1, context=ContextIdentity(waits_for=Unknown()))
    with Telemetry(delivery=DeliveryPolicy(durability=durability)) as app:
        app._pipeline.submit(signal)
    assert asked == [durability is not Durability.WRITE_THROUGH]


def test_an_event_that_may_not_wait_goes_with_the_user_who_is_loaded_then() -> None:
    """On the request's own thread; on another one, as nobody's."""
    for is_own in (True, False):
        site, sent = Site(), list[Signal]()
        user = RequestUser(module.usable_id, lambda place, error: None, site.adopt, site.resolve)
        user.is_open = True
        signal = Signal(Source.LOG, "e", {}, 1, context=ContextIdentity(waits_for=user))
        hold = partial(user.hold, sent.append, signal, may_wait=False)
        if is_own:
            assert hold()
        else:
            thread = threading.Thread(target=hold)
            thread.start()
            thread.join()
        (only,) = sent
        assert only.context is not None
        assert (only.context.user_id, only.context.waits_for) == ("ada" if is_own else None, None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_the_child_of_a_fork_sends_nothing_that_waits_in_its_parent() -> None:
    """The parent does."""
    sent = list[Signal]()
    user = RequestUser(module.usable_id, lambda place, error: None, lambda: None, lambda: "ada")
    user.is_open = True
    assert user.hold(sent.append, Signal(Source.LOG, "e", {}, 1))
    pid = os.fork()
    if pid == 0:
        user.settle()
        os._exit(len(sent))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    user.settle()
    assert len(sent) == 1


def test_an_outgoing_call_loads_nobody(app: Telemetry) -> None:
    """It carries who is known by then, and is no product event."""
    site = Site()
    use_baggage(Baggage(pseudonym_of=lambda user_id: f"user-{user_id}"))
    carriers = list[dict[str, str]]()

    def call() -> None:
        carriers.append({})
        ActorPropagator(W3CBaggagePropagator(), Guard(app.health)).inject(carriers[-1])

    def view() -> None:
        call()
        site.loaded = "ada"
        call()

    try:
        serve(app, site, view)
    finally:
        use_baggage(Baggage())
    assert (carriers, site.asked) == ([{}, {"baggage": "analytics.user.pseudonym=user-ada"}], 0)
