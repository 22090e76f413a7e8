"""An app that uses posthog-python, by itself and with the bridge: the same events arrive."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

import posthog
import pytest
from bridged import by_itself, told, with_the_bridge

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


def fixed(number: int) -> dict[str, Any]:
    """Return a uuid and a time that are the same either way."""
    return {"uuid": str(uuid.UUID(int=number + 1)), "timestamp": AT}


def functions() -> None:
    """Module functions, as an app calls them."""
    posthog.capture("paid", distinct_id="u1", properties={"plan": "pro", "sum": 3.5}, **fixed(0))
    posthog.capture("joined", distinct_id="u1", groups={"company": "acme"}, **fixed(1))
    posthog.set(distinct_id="u1", properties={"plan": "pro"}, **fixed(2))
    posthog.set_once(distinct_id="u1", properties={"source": "ads"}, **fixed(3))
    posthog.alias("visitor-1", "u1", **fixed(4))
    with posthog.new_context():
        posthog.identify_context("u1")
        posthog.group_identify("company", "acme", {"size": 5}, **fixed(5))


def contexts() -> None:
    """Contexts and tags, nested, with a decorator."""
    with posthog.new_context():
        posthog.identify_context("u1")
        posthog.tag("plan", "pro")
        posthog.capture("outer", **fixed(0))
        with posthog.new_context(fresh=True):
            posthog.capture("fresh", distinct_id="u2", **fixed(1))
        _scoped()


@posthog.scoped()  # type: ignore[untyped-decorator]
def _scoped() -> None:
    posthog.tag("page", 7)
    posthog.capture("inner", **fixed(2))


APPS = {"functions": functions, "contexts": contexts}


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize("sync_mode", [False, True])
def test_the_same_events_arrive(name: str, sync_mode: bool) -> None:
    """Names, ids, groups, properties, times and uuids, one by one."""
    plain = by_itself(APPS[name], sync_mode=sync_mode)
    ours = with_the_bridge(APPS[name], sync_mode=sync_mode)
    assert plain
    assert [told(each) for each in ours] == [told(each) for each in plain]
