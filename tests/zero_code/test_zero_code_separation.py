"""One app, two destinations: a real process under `opentelemetry-instrument`, real servers on the other side."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from pathlib import Path

import pytest
from instrumented import EVENTS_PER_ORDER, SPANS_PER_ORDER, shop
from shop import CARD, MAIL, PHONE

from otel_posthog.testing import FakePostHog, OtlpSink

PLANTED = (MAIL, MAIL.replace("@", "%40"), CARD, PHONE, "u-4711")


def seen(raw: bytes) -> list[str]:
    """Return which planted values are in `raw`."""
    return [value for value in PLANTED if value.encode() in raw]


def assert_clean(sink: OtlpSink) -> None:
    """Require that nothing of the product side, and no planted value, reached the operational side."""
    assert b"analytics." not in sink.raw_bytes
    assert seen(sink.raw_bytes) == []


def test_product_events_and_operational_telemetry_arrive_apart(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Spans, span events, log-based events and log lines, each side clean of the other."""
    run = shop(3, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert Counter(each.event for each in fake_posthog.events) == {
        "order_placed": 3,
        "coupon_used": 3,
        "receipt_sent": 3,
        "order_logged": 3,
    }
    assert fake_posthog.duplicates == 0
    assert seen(fake_posthog.raw_bytes) == []
    # In which order they arrive nobody promises.
    placed = min((each.properties for each in fake_posthog.named("order_placed")), key=itemgetter("total"))
    assert placed["note"] == "call [phone] or write [email], card [card]"
    assert placed["total"] == 10
    assert placed["service.name"] == "shop"
    assert placed["$process_person_profile"] is False
    assert placed["$ip"] == "0.0.0.0"
    assert placed["$trace_id"] in {each.trace_id for each in otlp_sink.spans}
    assert Counter(each.name for each in otlp_sink.spans) == {"place": 3, "GET /order/[email]": 3}
    place = next(each for each in otlp_sink.spans if each.name == "place")
    assert place.attributes == {}
    assert [name for name, _ in place.events] == ["stock.checked"]
    request = next(each for each in otlp_sink.spans if each.name != "place")
    assert request.attributes == {"http.route": "/order", "url.full": "https://shop.example/order?mail=[email]"}
    assert request.status_message == "no receipt for [email]"
    assert Counter(each.body for each in otlp_sink.logs) == {"order by [email]": 3, "stock is low": 3}
    assert [points for each in otlp_sink.metrics if each.name == "shop.orders" for points in each.points] == [
        ({"customer": "[email]"}, 3)
    ]
    assert_clean(otlp_sink)
    assert not run.has_traceback_of_ours


def test_our_own_metrics_go_with_the_apps(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """What came, what was delivered and what was taken out is counted on the operational side."""
    shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url)
    counts = {
        (attributes["outcome"], attributes["reason"]): value
        for each in otlp_sink.metrics
        if each.name == "otel_posthog.events"
        for attributes, value in each.points
    }
    assert counts["received", "span"] == 2
    assert counts["received", "log"] == 4
    assert counts["delivered", ""] == 2 * EVENTS_PER_ORDER
    named = [each for each in otlp_sink.metrics if each.name == "otel_posthog.privacy.actions"]
    actions = [point for each in named for point in each.points]
    assert ({"rule": "email", "action": "replaced"}, 2) in actions
    assert {each.name for each in otlp_sink.metrics} >= {"otel_posthog.queue.size", "otel_posthog.delivery.duration"}


def test_the_first_start_shows_the_notice_and_each_start_is_told(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """The box is printed once per installation."""
    outs = [shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url).out for _ in range(2)]
    assert ["│" in out for out in outs] == [True, False]
    assert [out.splitlines().count("Usage statistics enabled (user IDs anonymized)") for out in outs] == [1, 1]
    assert len({each.distinct_id for each in fake_posthog.events}) == 1


def test_identified_mode_sends_the_user(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """With `ANALYTICS_ANONYMIZE_USER_IDS=false` the user id arrives in PostHog, and there only."""
    shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url, ANALYTICS_ANONYMIZE_USER_IDS="false")
    assert {each.distinct_id for each in fake_posthog.named("order_placed")} == {"u-4711"}
    assert_clean(otlp_sink)


def test_unsampled_spans_yield_product_events_and_no_operational_span(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """With `always_off` every product event arrives, and the OTLP side gets no span."""
    shop(3, otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_TRACES_SAMPLER="always_off")
    assert len(fake_posthog.unique_events) == 3 * EVENTS_PER_ORDER
    assert otlp_sink.spans == []
    assert len(otlp_sink.logs) == 6


@pytest.mark.parametrize("sampler", ["always_on", "parentbased_always_on"])
def test_the_operational_trace_is_the_one_the_app_makes_without_us(
    sampler: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Span for span: the same names, kinds, parents and order, with and without the package."""

    def shape(sink: OtlpSink) -> list[tuple[str, object, bool]]:
        return [(each.name.replace(MAIL, "[email]"), each.kind, bool(each.parent_span_id)) for each in sink.spans]

    shop(3, otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_TRACES_SAMPLER=sampler)
    with OtlpSink() as without:
        disabled = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog", "OTEL_TRACES_SAMPLER": sampler}
        shop(3, otlp=without.url, **disabled)
        assert shape(without) == shape(otlp_sink)
        assert len(without.spans) == 3 * SPANS_PER_ORDER
        # The control: without us the planted values are there.
        assert MAIL in seen(without.raw_bytes)
        assert b"analytics.event" in without.raw_bytes


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"USAGE_STATS": "false"}, "Usage statistics disabled by USAGE_STATS=false"),
        ({"ALGA_USAGE_STATS": "false"}, "Usage statistics disabled by ALGA_USAGE_STATS=false"),
        ({"DO_NOT_TRACK": "1"}, "Usage statistics disabled by DO_NOT_TRACK=1"),
        ({"POSTHOG_API_KEY": ""}, "Usage statistics disabled by POSTHOG_API_KEY (not set)"),
        ({"POSTHOG_API_KEY": "phx_personal"}, "POSTHOG_API_KEY is a personal API key"),
        ({"POSTHOG_HOST": "posthog.example"}, "POSTHOG_HOST is not a URL"),
        ({"OTEL_POSTHOG_POLICY": "{broken}"}, "did you mean `privacy`?"),
        ({"OTEL_POSTHOG_POLICY": "/nowhere/policy.yaml"}, "/nowhere/policy.yaml: the policy cannot be read"),
    ],
    ids=["switch", "alias", "do-not-track", "no key", "wrong key", "wrong host", "broken policy", "no policy"],
)
def test_switched_off_or_broken_nothing_is_sent_and_the_operational_side_is_as_clean(
    environ: dict[str, str], line: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """No event leaves, the app runs, its telemetry goes on stripped, and what is off or wrong is one line."""
    policy, broken = tmp_path / "policy.yaml", tmp_path / "broken.yaml"
    policy.write_text("collection: {off_switches: [ALGA_USAGE_STATS]}\n", encoding="utf-8")
    broken.write_text("version: 1\nprivcy: {}\n", encoding="utf-8")
    given = {name: value.replace("{broken}", str(broken)) for name, value in environ.items()}
    host = given.pop("POSTHOG_HOST", fake_posthog.url)
    run = shop(2, otlp=otlp_sink.url, posthog=host, **{"OTEL_POSTHOG_POLICY": str(policy), **given})
    assert fake_posthog.requests == []
    assert len(otlp_sink.spans) == 2 * SPANS_PER_ORDER
    assert len(otlp_sink.logs) == 4
    assert_clean(otlp_sink)
    if line.startswith("Usage"):
        assert run.said == line
    else:
        assert [each for each in run.out.splitlines() if line in each] != []
    assert not run.has_traceback_of_ours
