"""What a client of posthog-python is set to, and how it is used, holds with the bridge as without it."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import posthog
import pytest
from bridged import (
    AT,
    KEY,
    SESSION,
    bridged,
    by_itself,
    fails,
    module_client,
    policy_for,
    set_up,
    told,
    with_the_bridge,
)
from posthog.client import Client

from otel_posthog.bridge import client as bridge_client
from otel_posthog.testing import FakePostHog
from otel_posthog_instrumentation.posthog_python import PostHogPythonInstrumentor

UUID = str(uuid.UUID(int=7))


def one(**kwargs: Any) -> Any:
    """Capture one event, the same either way."""
    given: dict[str, Any] = {"distinct_id": "u1", "uuid": UUID, "timestamp": AT, **kwargs}
    return posthog.capture("paid", **given)


def renamed(message: dict[str, Any]) -> dict[str, Any]:
    """Change name, properties, id and time, as an app may."""
    message["properties"]["plan"] = "team"
    return {**message, "event": "renamed", "distinct_id": "u9", "timestamp": "2026-01-02T03:04:05+00:00"}


SETTINGS: dict[str, dict[str, Any]] = {
    "super_properties": {"super_properties": {"plan": "pro", "$session_id": SESSION, "$window_id": "w-1"}},
    "disabled": {"disabled": True},
    "send": {"send": False},
    "debug": {"debug": True},
    "privacy_mode": {"privacy_mode": True},
    "before_send changes": {"before_send": renamed},
    "before_send drops": {"before_send": lambda _: None},
    "before_send fails": {"before_send": fails},
    "before_send takes the uuid away": {
        "before_send": lambda message: {**{k: v for k, v in message.items() if k != "uuid"}, "event": "anew"}
    },
    "geoip": {"disable_geoip": False},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("sync_mode", [False, True])
def test_a_setting_of_the_client_is_kept(name: str, sync_mode: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The same events and the same return value."""
    returned: list[Any] = []
    settings = {**SETTINGS[name], "sync_mode": sync_mode}
    plain = by_itself(lambda: returned.append(one()), **settings)
    ours = with_the_bridge(lambda: returned.append(one()), **settings)
    is_new = "takes the uuid away" in name  # another one each time
    assert [without_uuid(each, is_new) for each in ours] == [without_uuid(each, is_new) for each in plain]
    assert (returned[0] == returned[1]) or (is_new and None not in returned)


def without_uuid(event: Any, is_left_out: bool) -> dict[str, Any]:
    """Return what an event says, without its uuid if that is new each time."""
    said = told(event)
    return {**said, "uuid": ""} if is_left_out else said


CALLS: dict[str, Callable[[], object]] = {
    "no id": lambda: posthog.capture("paid", uuid=UUID, timestamp=AT),
    "id of a number": lambda: one(distinct_id=7),
    "id of a uuid": lambda: one(distinct_id=uuid.UUID(int=9)),
    "properties of the person": lambda: one(properties={"$set": {"plan": "pro"}, "$set_once": {"source": "ads"}}),
    "groups": lambda: one(groups={"company": "acme", "team": 5}),
    "no profile": lambda: one(properties={"$process_person_profile": False}),
    "session": lambda: one(properties={"$session_id": SESSION}),
    "window": lambda: one(properties={"$window_id": "w-4711"}),
    "own flags": lambda: one(properties={"$feature/new-checkout": "test", "$active_feature_flags": ["new-checkout"]}),
    "nested": lambda: one(properties={"cart": [{"sku": "a", "count": 2}, {"sku": "b"}], "none": None, "when": AT}),
    "page": lambda: posthog.capture(
        "$pageview", distinct_id="u1", properties={"$current_url": "https://x.example/a"}, uuid=UUID, timestamp=AT
    ),
    "identify": lambda: posthog.capture(
        "$identify", distinct_id="u1", properties={"$set": {"plan": "pro"}}, uuid=UUID, timestamp=AT
    ),
    "alias by its event": lambda: posthog.capture(
        "$create_alias", distinct_id="old", properties={"alias": "u1", "distinct_id": "old"}, uuid=UUID, timestamp=AT
    ),
    "naive time": lambda: one(timestamp=AT.replace(tzinfo=None)),
    "group without an id": lambda: posthog.group_identify("company", "acme", {"size": 5}, uuid=UUID, timestamp=AT),
    "set of nobody": lambda: posthog.set(properties={"plan": "pro"}),
    "alias to nobody": lambda: posthog.alias("visitor-1", ""),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_the_same(name: str) -> None:
    """Whatever form its arguments have; a random id is compared by there being one."""
    plain, ours = by_itself(CALLS[name]), with_the_bridge(CALLS[name])
    is_random = name in {"no id", "group without an id"}
    left = {"distinct_id": ""} if is_random else {}
    assert [{**told(each), **left} for each in ours] == [{**told(each), **left} for each in plain]
    assert not is_random or all(len(each.distinct_id) == 36 for each in ours)


def test_the_id_from_before_an_identify_is_merged() -> None:
    """By an alias, which says to PostHog what `$anon_distinct_id` does."""
    identify, alias = with_the_bridge(
        lambda: posthog.capture("$identify", distinct_id="u1", properties={"$anon_distinct_id": "visitor-1"})
    )
    assert (identify.event, identify.distinct_id) == ("$identify", "u1")
    assert (alias.event, alias.distinct_id, alias.properties["alias"]) == ("$create_alias", "visitor-1", "u1")


def test_a_session_of_another_form_stays_a_property() -> None:
    """PostHog would not make a session of it."""
    (event,) = with_the_bridge(lambda: one(properties={"$session_id": "s1"}))
    assert event.properties["session_id"] == "s1"


@pytest.mark.parametrize("call", ["alias", "group_identify", "set"])
def test_a_change_has_the_window_too(call: str) -> None:
    """As every message of a client whose `super_properties` have it."""
    calls: dict[str, Callable[[], object]] = {
        "alias": lambda: posthog.alias("visitor-1", "u1"),
        # The oldest release takes no user there.
        "group_identify": lambda: posthog.group_identify("company", "acme", {"size": 5}),
        "set": lambda: posthog.set(distinct_id="u1", properties={"plan": "pro"}),
    }
    (event,) = with_the_bridge(calls[call], super_properties={"$window_id": "w-4711"})
    assert event.properties["$window_id"] == "w-4711"


@pytest.mark.parametrize("value", ["a text", 7, None, ["size"]])
def test_a_group_whose_properties_are_none_is_a_group_without(value: object) -> None:
    """As a property of all events may have it: the change arrives, what is no property is left out."""
    given = {"$group_set": value}
    (event,) = with_the_bridge(lambda: posthog.group_identify("company", "acme", {"size": 5}), super_properties=given)
    told = {key: event.properties[key] for key in ("$group_type", "$group_key", "$group_set")}
    assert told == {"$group_type": "company", "$group_key": "acme", "$group_set": {}}


def test_the_session_of_a_context_is_kept() -> None:
    """`set_context_session`, as the integrations of posthog-python call it."""

    def app() -> None:
        with posthog.new_context():
            posthog.set_context_session(SESSION)
            one()

    plain, ours = by_itself(app), with_the_bridge(app)
    assert [told(each) for each in ours] == [told(each) for each in plain]
    assert ours[0].properties["$session_id"] == SESSION


def test_a_client_from_before_is_taken_over(fake_posthog: FakePostHog) -> None:
    """Clients, functions and methods that the app took from posthog-python before: none goes around the filters."""
    function = posthog.capture
    with FakePostHog() as past, module_client(past.url):
        client = Client(KEY, host=past.url)
        method = client.capture
        with bridged(policy_for(fake_posthog)):
            assert client.capture("client", distinct_id="u1") is not None
            assert function("function", distinct_id="u1") is not None
            assert method("method", distinct_id="u1") is None
            client.flush()
        assert past.requests == []
    assert sorted(each.event for each in fake_posthog.events) == ["client", "function", "method"]


def test_a_class_of_the_apps_own_is_taken_over(fake_posthog: FakePostHog) -> None:
    """It calls what it is made of, and nothing goes out twice."""

    class Own(Client):  # type: ignore[misc, unused-ignore]
        def capture(self, event: str, **kwargs: Any) -> Any:
            return super().capture(f"own {event}", **kwargs)

    with FakePostHog() as past, bridged(policy_for(fake_posthog)):
        client = Own(KEY, host=past.url)
        assert client.capture("paid", distinct_id="u1") is not None
        client.shutdown()
        assert past.requests == []
    assert [each.event for each in fake_posthog.events] == ["own paid"]


def test_what_before_send_captures_is_an_event_of_its_own(fake_posthog: FakePostHog) -> None:
    """One call inside another, on the same client."""

    def hook(message: dict[str, Any]) -> dict[str, Any]:
        if message["event"] == "outer":
            client.capture("inner", distinct_id="u1")
        return message

    with FakePostHog() as past, bridged(policy_for(fake_posthog)):
        client = Client(KEY, host=past.url, before_send=hook)
        client.capture("outer", distinct_id="u1")
        client.shutdown()
        assert past.requests == []
    assert sorted(each.event for each in fake_posthog.events) == ["inner", "outer"]


def test_events_of_many_threads_arrive_once(fake_posthog: FakePostHog) -> None:
    """On two clients at once, each with the id that it was captured with."""

    def work(number: int) -> None:
        for count in range(25):
            clients[count % 2].capture(f"e{number}-{count}", distinct_id=f"u{number}")

    with FakePostHog() as past, bridged(policy_for(fake_posthog)):
        clients = [Client(KEY, host=past.url) for _ in range(2)]
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for client in clients:
            client.shutdown()
        assert past.requests == []
    assert len(fake_posthog.events) == 200
    assert all(each.event.startswith(f"e{each.distinct_id[1:]}-") for each in fake_posthog.events)


def test_flush_waits_for_what_was_taken_over(fake_posthog: FakePostHog) -> None:
    """When it returns, the events are there."""
    with FakePostHog() as past, bridged(policy_for(fake_posthog)):
        client = Client(KEY, host=past.url)
        client.capture("paid", distinct_id="u1")
        client.flush()
        assert [each.event for each in fake_posthog.events] == ["paid"]
        client.capture("left", distinct_id="u1")
        client.shutdown()
        assert [each.event for each in fake_posthog.events] == ["paid", "left"]


def test_sync_mode_has_delivered_when_it_returns(fake_posthog: FakePostHog) -> None:
    """As it promises, call by call."""
    with bridged(policy_for(fake_posthog)):
        client = Client(KEY, host=fake_posthog.url, sync_mode=True)
        for number in range(3):
            client.capture("paid", distinct_id="u1")
            assert len(fake_posthog.events) == number + 1


def test_sync_mode_waits_once_while_posthog_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not again call by call; an app must not stand still for that."""
    with FakePostHog() as server:
        policy = policy_for(server)
    monkeypatch.setattr(bridge_client, "DEFAULT_FLUSH_S", 0.3)
    monkeypatch.setattr(bridge_client, "_pauses_until_s", 0.0)
    took_s = []
    with set_up(policy, end_s=0.1):
        instrumentor = PostHogPythonInstrumentor()
        instrumentor.instrument()
        client = Client(KEY, host=server.url, sync_mode=True)
        for _ in range(4):
            began = time.monotonic()
            assert client.capture("paid", distinct_id="u1") is not None
            took_s.append(time.monotonic() - began)
        instrumentor.uninstrument()
    assert took_s[0] >= 0.3
    assert sum(took_s[1:]) < 0.3


def test_what_a_client_refuses_goes_nowhere(fake_posthog: FakePostHog) -> None:
    """After its end the later releases take nothing and return None; the earlier ones take it, and it arrives."""
    with FakePostHog() as past, bridged(policy_for(fake_posthog)):
        client = Client(KEY, host=past.url)
        client.capture("paid", distinct_id="u1")
        client.shutdown()
        returned = client.capture("late", distinct_id="u1")
        assert past.requests == []
    assert [each.event for each in fake_posthog.events] == (["paid"] if returned is None else ["paid", "late"])


@pytest.mark.parametrize("hook", [fails, renamed, lambda _: None], ids=["fails", "changes", "drops"])
def test_a_hook_of_a_client_has_the_say_that_the_release_gives_it(hook: Any, fake_posthog: FakePostHog) -> None:
    """The oldest sends an event whose hook has failed as it was, the later ones do not; a change or a drop holds."""

    def use(host: str) -> Any:
        client = Client(KEY, host=host, before_send=hook)
        returned = client.capture("paid", distinct_id="u1", uuid=UUID, timestamp=AT)
        client.shutdown()
        return returned

    with FakePostHog() as plain, FakePostHog() as past:
        returned = use(plain.url)
        with bridged(policy_for(fake_posthog)):
            assert use(past.url) == returned
        assert past.requests == []
        assert [told(each) for each in fake_posthog.events] == [told(each) for each in plain.events]


def test_an_exception_arrives_by_type_and_frames_without_its_message() -> None:
    """As `exceptions.mode` says; the id that marks it as captured is that of the event."""
    raised: list[Any] = []

    def app() -> None:
        try:
            raise KeyError("jo@example.org")
        except KeyError as error:
            raised.append(posthog.capture_exception(error, distinct_id="u1", uuid=UUID))

    (event,) = with_the_bridge(app)
    (entry,) = event.properties["$exception_list"]
    assert (event.event, event.uuid, entry["type"], entry["value"]) == ("$exception", UUID, "KeyError", "")
    assert raised == [UUID]
    assert "jo@example.org" not in str(event)


def test_uncaught_exceptions_are_captured_as_before() -> None:
    """`enable_exception_autocapture`, in a thread of the app's that ends with one."""

    def fail() -> None:
        raise LookupError

    def app() -> None:
        posthog.setup()
        ended = threading.Thread(target=fail)
        with pytest.MonkeyPatch.context():
            ended.start()
            ended.join()

    hook, thread_hook = sys.excepthook, threading.excepthook
    try:
        threading.excepthook = lambda _: None
        ours = with_the_bridge(app, enable_exception_autocapture=True)
    finally:
        sys.excepthook, threading.excepthook = hook, thread_hook
    assert [each.event for each in ours] == ["$exception"]


FLAG = {
    "id": 1,
    "key": "new-checkout",
    "active": True,
    "filters": {"groups": [{"properties": [], "rollout_percentage": 100}]},
}


def flags() -> None:
    """Read a flag that is known here, then capture with all flags of that user."""
    client = posthog.setup()
    client.feature_flags = [FLAG]
    client.get_feature_flag("new-checkout", "u1", only_evaluate_locally=True)
    client.get_feature_flag("new-checkout", "u1", only_evaluate_locally=True)
    one(send_feature_flags={"only_evaluate_locally": True})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_flags_are_evaluated_as_before_and_their_events_come_through() -> None:
    """`$feature_flag_called` once, and the flags on an event that asks for them."""
    plain = by_itself(flags, enable_local_evaluation=False, personal_api_key="phx_test")
    ours = with_the_bridge(flags, enable_local_evaluation=False, personal_api_key="phx_test")
    assert [each.event for each in ours] == ["$feature_flag_called", "paid"]
    new_each_time = {"uuid": "", "timestamp": ""}
    assert [{**told(each), **new_each_time} for each in ours] == [{**told(each), **new_each_time} for each in plain]
    assert ours[1].properties["$feature/new-checkout"] is True
