"""Feature flags of an app under the real `opentelemetry-instrument`, switched on by one word in its environment."""

from __future__ import annotations

import os
from collections import Counter

from flagged_app import USERS
from instrumented import SUPPORT, instrumented
from processes import PROGRAMS

from otel_posthog.testing import FakePostHog, OtlpSink


def test_flags_of_an_unchanged_app_are_called_and_told(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Once for each user, then on every later event of the request, derived ones too; users stay off the other side."""
    paths = os.pathsep.join(map(str, (SUPPORT, PROGRAMS)))
    switches = {"OTEL_POSTHOG_DERIVE": "flags,web", "ANALYTICS_ANONYMIZE_USER_IDS": "false", "PYTHONPATH": paths}
    program = str(PROGRAMS / "flagged_app.py")
    run = instrumented(program, otlp=otlp_sink.url, posthog=fake_posthog.url, **switches)
    assert run.returncode == 0, run.out
    assert not run.has_traceback_of_ours, run.out
    events = fake_posthog.unique_events
    assert Counter(each.event for each in events) == {
        "$feature_flag_called": len(USERS),
        **dict.fromkeys(("basket_opened", "bought", "page_viewed"), 2 * len(USERS)),
    }
    assert {(each.event, each.properties.get("$feature/button")) for each in events} == {
        ("basket_opened", None),
        *((name, "blue") for name in ("$feature_flag_called", "bought", "page_viewed")),
    }
    called = [each.distinct_id for each in events if each.event == "$feature_flag_called"]
    assert sorted(called) == USERS
    told = [name for span in otlp_sink.spans for name, _ in span.events]
    assert told == ["feature_flag.evaluation"] * 2 * len(USERS)
    assert [each for each in (*USERS, "analytics.", "$feature") if each.encode() in otlp_sink.raw_bytes] == []
