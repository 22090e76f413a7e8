"""posthog-python's client for asyncio, with the bridge; older releases have none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bridged import KEY, PERMISSIVE, bridged, fails, policy_for, told

from otel_posthog.testing import FakePostHog

posthog = pytest.importorskip("posthog.async_client", reason="this release of posthog-python has no client for asyncio")

FIXED: dict[str, Any] = {"uuid": "00000000-0000-0000-0000-000000000007", "timestamp": "2026-01-02T03:04:05+00:00"}


async def calls(client: Any) -> list[Any]:
    """Use the client as an app does, to its end."""
    returned = [
        client.capture("paid", distinct_id="u1", properties={"plan": "pro"}, groups={"company": "acme"}, **FIXED),
        client.set(distinct_id="u1", properties={"plan": "pro"}, **FIXED),
        client.alias("visitor-1", "u1", **FIXED),
        await client.capture_immediate("at once", distinct_id="u1", **FIXED),
    ]
    await client.flush()
    await client.shutdown()
    return returned


def arrives(**settings: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return what arrives and what is returned, by itself and with the bridge."""

    async def app(host: str) -> list[Any]:
        return await calls(posthog.AsyncClient(KEY, host=host, **settings))

    with FakePostHog() as plain:
        returned = asyncio.run(app(plain.url))
    with FakePostHog() as ours, FakePostHog() as past, bridged(policy_for(ours, base=PERMISSIVE)):
        taken = asyncio.run(app(past.url))
        assert past.requests == []
        return list(plain.events), list(ours.events), returned, taken


async def a_hook(message: dict[str, Any]) -> dict[str, Any]:
    """Change an event, as an app's coroutine may."""
    await asyncio.sleep(0)
    return message if message["event"] == "$create_alias" else {**message, "distinct_id": "u9"}


def a_plain_hook(message: dict[str, Any]) -> dict[str, Any]:
    """The same without asyncio."""
    message["properties"]["plan"] = "team"
    return {**message, "uuid": "not kept"}


SETTINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "super_properties": {"super_properties": {"app": "shop"}},
    "disabled": {"disabled": True},
    "send": {"send": False},
    "a hook of asyncio": {"before_send": a_hook},
    "a plain hook": {"before_send": a_plain_hook},
    "a hook that drops": {"before_send": lambda _: None},
    "a hook that fails": {"before_send": fails},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_arrives(name: str) -> None:
    """Events and return values, whatever the client is set to; delivered when flush and shutdown return."""
    plain, ours, returned, taken = arrives(**SETTINGS[name])
    by_name = [{each.event: told(each) for each in events} for events in (plain, ours)]
    assert by_name[1] == by_name[0]
    assert taken == returned


def test_what_a_hook_captures_inside_comes_through_too() -> None:
    """Of a call that waits: the event inside is queued, and goes no other way than the one around it."""
    clients: list[Any] = []

    def hook(message: dict[str, Any]) -> dict[str, Any]:
        if message["event"] == "outer":
            loops[0].call_soon_threadsafe(lambda: clients[0].capture("inner", distinct_id="u1"))
        return message

    loops: list[asyncio.AbstractEventLoop] = []

    async def app(host: str) -> None:
        loops.append(asyncio.get_running_loop())
        clients.append(posthog.AsyncClient(KEY, host=host, before_send=hook))
        await clients[0].capture_immediate("outer", distinct_id="u1")
        await asyncio.sleep(0.05)
        await clients[0].shutdown()

    with FakePostHog() as ours, FakePostHog() as past, bridged(policy_for(ours)):
        asyncio.run(app(past.url))
        assert past.requests == []
        assert sorted(each.event for each in ours.events) == ["inner", "outer"]
