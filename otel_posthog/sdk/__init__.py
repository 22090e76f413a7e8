"""The one place of the OpenTelemetry SDK's private names.

The public SDK has no hook in which an ended span can still be cleaned, no way to wrap an exporter that is already
installed, and no way to give existing tracers another sampler. What is reached for here was read in SDK 1.41 and 1.45
(`tests/setup/test_setup_sdk.py` fails when a release moves a name). Each function says what happens when a name is
gone: the caller then knows less, never sends more, because the wrapped exporters strip product data as well.
"""

from __future__ import annotations

from otel_posthog.sdk.dropped_spans import (
    count_as_dropped,
    count_next_as_dropped,
    count_next_as_recorded,
    divert_dropped,
    divert_dropped_of_global,
    dropped_state,
    is_dropped,
    is_in_front,
    put_in_front,
    recorded_state,
)
from otel_posthog.sdk.exporters import (
    flush_exporter,
    metric_preferences,
    shutdown_exporter,
    stand_before_export,
    suppressed_instrumentation,
    wrap_reader,
)
from otel_posthog.sdk.forks import keep_children_from_waiting
from otel_posthog.sdk.items import bounded, copy_span, is_first_to_take, taken_as, with_resource
from otel_posthog.sdk.light_spans import LightSpan, use_light_spans, why_no_light_spans
from otel_posthog.sdk.providers import (
    add_past_provider,
    beneath,
    foreign,
    log_processors,
    metric_readers,
    on_provider_replaced,
    on_provider_set,
    parts_of,
    prepare_added,
    rewire_sampler,
    span_processors,
    wrap_exporter,
)
from otel_posthog.sdk.spans import (
    EndingSpanProcessor,
    EvictedEvents,
    forget_evicted_events,
    has_own_link,
    is_plain,
    item_attributes,
    link_to_events,
    recorded_events,
    replace_attributes,
    replace_events,
    see_attributes,
    see_events,
    span_attributes,
    span_end,
    span_events,
    span_in,
    span_links,
    span_outline,
    span_start,
    trace_state_of,
)

# Whatever of this package is imported that imports a thread pool comes by here.
keep_children_from_waiting()

__all__ = [
    "EndingSpanProcessor",
    "EvictedEvents",
    "LightSpan",
    "add_past_provider",
    "beneath",
    "bounded",
    "copy_span",
    "count_as_dropped",
    "count_next_as_dropped",
    "count_next_as_recorded",
    "divert_dropped",
    "divert_dropped_of_global",
    "dropped_state",
    "flush_exporter",
    "foreign",
    "forget_evicted_events",
    "has_own_link",
    "is_dropped",
    "is_first_to_take",
    "is_in_front",
    "is_plain",
    "item_attributes",
    "link_to_events",
    "log_processors",
    "metric_preferences",
    "metric_readers",
    "on_provider_replaced",
    "on_provider_set",
    "parts_of",
    "prepare_added",
    "put_in_front",
    "recorded_events",
    "recorded_state",
    "replace_attributes",
    "replace_events",
    "rewire_sampler",
    "see_attributes",
    "see_events",
    "shutdown_exporter",
    "span_attributes",
    "span_end",
    "span_events",
    "span_in",
    "span_links",
    "span_outline",
    "span_processors",
    "span_start",
    "stand_before_export",
    "suppressed_instrumentation",
    "taken_as",
    "trace_state_of",
    "use_light_spans",
    "why_no_light_spans",
    "with_resource",
    "wrap_exporter",
    "wrap_reader",
]
