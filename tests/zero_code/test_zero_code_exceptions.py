"""An app that fails inside a product span, under the real `opentelemetry-instrument`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import failing
from instrumented import SUPPORT, instrumented

from otel_posthog.testing import FakePostHog, OtlpSink

PLANTED = (b"planted-in-the-message", b"planted-in-a-local", failing.SOURCE.encode(), str(SUPPORT).encode(), b"u-4711")


def test_the_type_of_an_exception_arrives_and_nothing_else_of_it(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """From the product span and from the marked log lines; the operational span tells the operational side."""
    run = instrumented(
        str(SUPPORT / "failing.py"), otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_TRACES_SAMPLER="always_off"
    )
    assert run.returncode == 0, run.out
    assert Counter(each.event for each in fake_posthog.events) == {
        "order_paid": 1,
        "payment_failed": 2,
        "$exception": 3,
    }
    lists = [each.properties["$exception_list"] for each in fake_posthog.named("$exception")]
    assert {(entry["type"], entry["value"], "stacktrace" in entry) for each in lists for entry in each} <= {
        ("Order.Declined", "", False),
        ("Declined", "", False),
    }
    assert all(each.properties["$exception_level"] == "error" for each in fake_posthog.named("$exception"))
    assert [value for value in PLANTED if value in fake_posthog.raw_bytes] == []
    assert not run.has_traceback_of_ours


def test_with_frames_the_apps_own_code_is_told_and_no_message(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """Module, function and line of the exception and of its cause; also those of operational spans where asked."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nexceptions:\n  mode: frames\n  recorded_on: all\n")
    run = instrumented(
        str(SUPPORT / "failing.py"),
        otlp=otlp_sink.url,
        posthog=fake_posthog.url,
        OTEL_POSTHOG_POLICY=str(policy),
    )
    assert run.returncode == 0, run.out
    exceptions = [each.properties["$exception_list"] for each in fake_posthog.named("$exception")]
    assert len(exceptions) == 4
    for caught, cause in exceptions:
        assert caught["stacktrace"]["frames"][-1] | {"lineno": 0} == {
            "platform": "python",
            "filename": "failing.py",
            "function": "pay",
            "module": "__main__",
            "lineno": 0,
            "in_app": True,
        }
        assert (cause["type"], cause["mechanism"]["source"]) == ("KeyError", "cause")
        assert [frame["function"] for frame in cause["stacktrace"]["frames"]] == ["pay", "charge"]
    assert [value for value in PLANTED if value in fake_posthog.raw_bytes] == []
