"""The bridge is off unless asked for, can be taken off again, and never lets anything past the filters."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import posthog
import pytest
from bridged import KEY, PERMISSIVE, bridged, module_client, policy_for
from posthog.client import Client

import otel_posthog
from otel_posthog.bridge import client as bridge_client
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import CollectionPolicy, Policy
from otel_posthog.setup import configure
from otel_posthog.setup.settings import read_settings, stripping_only
from otel_posthog.testing import FakePostHog
from otel_posthog_instrumentation.posthog_python import PostHogPythonInstrumentor

OFF = replace(PERMISSIVE, collection=CollectionPolicy())


@pytest.fixture
def past() -> Iterator[FakePostHog]:
    """Where posthog-python would send by itself."""
    with FakePostHog() as server:
        yield server


@pytest.fixture(autouse=True)
def _say_anew() -> None:
    bridge_client._say.cache_clear()


def names(server: FakePostHog) -> list[str]:
    """Return the names of what came."""
    return [each.event for each in server.events]


def counted(reason: str) -> int:
    """Return how many events were dropped for `reason` in this process."""
    made = configure.running()
    assert made is not None
    return {name: number for (_, name), number in made.health.snapshot().items()}.get(reason, 0)


def test_it_is_off_by_default(fake_posthog: FakePostHog, past: FakePostHog) -> None:
    """Without the setting posthog-python sends as it does, and nothing of it is touched."""
    before = dict(vars(Client))
    with bridged(policy_for(fake_posthog, base=OFF)), module_client(past.url):
        posthog.capture("paid", distinct_id="u1")
        posthog.flush()
        assert dict(vars(Client)) == before
    assert (names(past), names(fake_posthog)) == (["paid"], [])


def test_where_nothing_is_set_up_it_is_off() -> None:
    """`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=posthog` leaves posthog-python alone too."""
    instrumentor = PostHogPythonInstrumentor()
    instrumentor.instrument()
    assert not instrumentor.is_instrumented_by_opentelemetry


@pytest.mark.parametrize(("word", "is_on"), [("true", True), ("1", True), ("false", False), ("", True)])
def test_the_variable_wins_over_the_policy(word: str, is_on: bool) -> None:
    """As every other one does; an empty one says nothing."""
    settings = read_settings({"OTEL_POSTHOG_BRIDGE": word}, policy=PERMISSIVE)
    assert settings.policy.collection.bridge is is_on


def test_a_word_that_is_neither_yes_nor_no_is_refused() -> None:
    """With what to write instead."""
    with pytest.raises(ConfigurationError, match="OTEL_POSTHOG_BRIDGE must be true or false"):
        read_settings({"OTEL_POSTHOG_BRIDGE": "ture"})


def test_uninstrumenting_gives_everything_back(fake_posthog: FakePostHog, past: FakePostHog) -> None:
    """The class is what it was, and clients that were made meanwhile send by themselves, with their own settings."""
    before = dict(vars(Client))
    with bridged(policy_for(fake_posthog)) as instrumentor:
        client = Client(KEY, host=past.url, before_send=lambda message: {**message, "event": "renamed"})
        client.capture("first", distinct_id="u1")
        instrumentor.uninstrument()
        assert dict(vars(Client)) == before
        client.capture("second", distinct_id="u1")
        client.shutdown()
        instrumentor.instrument()
        Client(KEY, host=past.url).capture("third", distinct_id="u1")
    assert (names(past), names(fake_posthog)) == (["renamed"], ["renamed", "third"])


def test_a_policy_without_it_ends_it_at_once(fake_posthog: FakePostHog, past: FakePostHog) -> None:
    """In a running process, by `replace_policy()`."""
    with bridged(policy_for(fake_posthog)), module_client(past.url):
        posthog.capture("first", distinct_id="u1")
        assert otel_posthog.replace_policy(policy_for(fake_posthog, base=OFF))
        posthog.capture("second", distinct_id="u1")
        posthog.flush()
    assert (names(past), names(fake_posthog)) == (["second"], ["first"])


def test_filters_and_identity_hold(fake_posthog: FakePostHog, past: FakePostHog) -> None:
    """That is what it is for: what an app has always sent goes through the policy."""
    policy = policy_for(fake_posthog, base=Policy(collection=CollectionPolicy(bridge=True)))
    with bridged(policy), module_client(past.url):
        posthog.capture("paid", distinct_id="jo@example.org", properties={"note": "jo@example.org", "password": "x"})
    (event,) = fake_posthog.events
    assert "jo@example.org" not in str(event)
    assert event.properties["note"] == "[email]"
    assert "password" not in event.properties
    assert past.requests == []


@pytest.mark.parametrize("switch", ["OTEL_POSTHOG_ENABLED", "USAGE_STATS"])
def test_what_switches_collection_off_switches_posthog_python_off(
    switch: str, fake_posthog: FakePostHog, past: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No byte, by either way."""
    monkeypatch.setenv(switch, "false")
    with bridged(policy_for(fake_posthog)), module_client(past.url):
        assert posthog.capture("paid", distinct_id="u1") is not None
        posthog.flush()
    assert past.requests == fake_posthog.requests == []


def test_a_policy_that_cannot_be_read_sends_nothing_by_either_way() -> None:
    """Fail closed: with the variable set, what the app captures does not go around filters that are not there."""
    assert stripping_only({"OTEL_POSTHOG_BRIDGE": "true"}).policy.collection.bridge
    assert not stripping_only({}).policy.collection.bridge


def test_a_key_of_no_destination_goes_nowhere(
    fake_posthog: FakePostHog, past: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """Another project's events are not mixed in, nor do they go around the filters; said once, without the key."""
    with bridged(policy_for(fake_posthog)):
        client = Client("phc_another", host=past.url)
        for _ in range(3):
            assert client.capture("paid", distinct_id="u1") is not None
        client.shutdown()
        assert counted("bridge_key") == 3
    said = [each.getMessage() for each in caplog.records if "project key that no destination has" in each.getMessage()]
    assert len(said) == 1
    assert "phc_another" not in caplog.text
    assert past.requests == fake_posthog.requests == []


def test_each_client_reaches_the_project_of_its_key() -> None:
    """Two clients, two destinations: no event of one in the other's."""
    with FakePostHog(api_key="phc_a") as first, FakePostHog(api_key="phc_b") as second:
        with bridged(policy_for(first, second)):
            for server in (first, second):
                client = Client(server.api_key, host=server.url)
                client.capture(f"for {server.api_key}", distinct_id="u1")
                client.shutdown()
        assert (names(first), names(second)) == (["for phc_a"], ["for phc_b"])


def test_events_of_the_apps_own_still_reach_every_destination() -> None:
    """What names no destination is for all of them."""
    with FakePostHog(api_key="phc_a") as first, FakePostHog(api_key="phc_b") as second:
        with bridged(policy_for(first, second)):
            otel_posthog.capture("ours")
        assert (names(first), names(second)) == (["ours"], ["ours"])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"historical_migration": True}, "historical_migration"),
        ({"disable_geoip": False}, "disable_geoip"),
        ({"on_error": lambda *_: None}, "on_error"),
        ({"host": "http://127.0.0.1:9"}, "host"),
    ],
)
def test_what_cannot_be_kept_is_said_once(
    settings: dict[str, Any], says: str, fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """At WARNING, however many events there are; the events arrive."""
    with bridged(policy_for(fake_posthog)):
        client = Client(KEY, **{"host": fake_posthog.url, **settings})
        client.capture("one", distinct_id="u1")
        client.capture("two", distinct_id="u1")
    said = [each for each in caplog.records if "posthog-python" in each.getMessage()]
    assert [each.levelno for each in said] == [logging.WARNING]
    assert says in said[0].getMessage()
    assert names(fake_posthog) == ["one", "two"]


def test_a_client_as_it_comes_has_nothing_to_be_said(
    fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """No warning without a reason."""
    with bridged(policy_for(fake_posthog)):
        Client(KEY, host=fake_posthog.url).capture("one", distinct_id="u1")
    assert [each for each in caplog.records if "posthog-python" in each.getMessage()] == []


def test_it_says_where_nothing_is_set_up(past: FakePostHog, caplog: pytest.LogCaptureFixture) -> None:
    """A program that instruments and never configures loses its events, not its filters."""
    instrumentor = PostHogPythonInstrumentor()
    instrumentor.instrument(bridge=True)
    try:
        Client(KEY, host=past.url).capture("one", distinct_id="u1")
    finally:
        instrumentor.uninstrument()
    assert "otel-posthog is not set up in this program" in caplog.text
    assert past.requests == []


def test_a_release_that_it_does_not_know_is_left_alone_and_named(
    fake_posthog: FakePostHog, past: FakePostHog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One clear line; nothing is raised into the start of the app."""
    monkeypatch.setattr(Client, "before_send", None, raising=False)
    with bridged(policy_for(fake_posthog)):
        pass
    assert "posthog-python could not be bridged (TypeError)" in caplog.text


def test_it_is_put_on_once(fake_posthog: FakePostHog) -> None:
    """A second `instrument()` while it is on changes nothing."""
    with bridged(policy_for(fake_posthog)) as instrumentor:
        put_on = vars(Client)["capture"]
        instrumentor.instrument()
        assert vars(Client)["capture"] is put_on
