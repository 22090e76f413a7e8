"""Light spans: what stands for a span that the app's sampler drops, for as long as hardly anybody asks it anything.

It is a span of the SDK's class, with the SDK's methods, and its attributes, events and limits are the SDK's. But each
part is made when somebody first asks for it, and at its end it goes to our processor only. Most dropped spans begin,
are given a few attributes that are no product data, and end: those wait in a plain dictionary until anybody asks for
one of them, and nobody does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from inspect import signature, unwrap
from typing import Any, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanLimits
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from otel_posthog.actor import CarriedScope, Scope
from otel_posthog.actor.attributes import KEPT_KEYS
from otel_posthog.recogniser import PREFIX
from otel_posthog.sdk import spans
from otel_posthog.sdk.dropped_spans import IS_IN_FRONT
from otel_posthog.sdk.spans import EndingSpanProcessor, is_sampled, keep_evicted, tell_kept, trace_state_of

_Given = dict[str, Any]

# Values that nobody can change later, and the SDK takes as they are but for their length.
_PLAIN = frozenset({str, int, bool, float})
_LISTS = frozenset({list, tuple})
_IS_CLEAN = "otel_posthog_is_clean"


class LightSpan(Span):
    """A dropped span; see the module. Made by the SDK's tracers only, where `use_light_spans` was called."""

    _start_time: int | None = None
    _end_time: int | None = None
    _status = Status(StatusCode.UNSET)
    _trace_config = None
    otel_posthog_scope: Scope | None = None
    _otel_posthog_taken = 0

    _is_marked = False
    """Whether it has, or may have, attributes of the product side."""

    _given: _Given
    """What the SDK's tracer makes a span of."""

    _waiting: dict[str, Any]
    """The attributes that wait, until `_attributes` is made of them; and how many there may be."""
    _most: int | None

    def __getattr__(self, name: str) -> Any:
        make = _LATER.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # Where two threads ask at once, both get what one of them has made.
        return self.__dict__.setdefault(name, make(self, self.__dict__["_given"]))

    def start(self, start_time: int | None = None, parent_context: Context | None = None) -> None:
        """Start the span, as the SDK's method does; who has put another in its place is heard, here and below."""
        own = self.__dict__
        if Span.start is not _sdk_start or "_start_time" in own:
            super().start(start_time, parent_context)
            return
        own["_start_time"] = _now_ns() if start_time is None else start_time
        own["_span_processor"].on_start(self, parent_context)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute, as the SDK's method does; one that may wait at once, of which there are the most."""
        if (
            type(value) in _PLAIN
            and type(key) is str
            and key
            and Span.set_attribute is _set_one
            and Span.set_attributes is _set_many
        ):
            # By its dictionary: Python makes no short way to the fields of a class that has a `__getattr__`.
            own = self.__dict__
            waiting, most = own["_waiting"], own["_most"]
            with own["_lock"]:
                takes = "_attributes" not in own and "_end_time" not in own and (most is None or len(waiting) < most)
                if takes:
                    if key in waiting:
                        del waiting[key]  # the one that was set last is evicted last
                    waiting[key] = value
            if takes:
                if PREFIX in key:
                    self._is_marked = True
                    tell_kept(self, {key: value})
                elif key in KEPT_KEYS:
                    tell_kept(self, {key: value})
                return
        super().set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several, in the same way."""
        if type(attributes) is dict and Span.set_attributes is _set_many:
            copied = dict(attributes)
            is_marked = _clean(copied)
            if is_marked is not None:
                own = self.__dict__
                waiting, most = own["_waiting"], own["_most"]
                with own["_lock"]:
                    has_room = most is None or len(waiting) + len(copied) <= most
                    takes = "_attributes" not in own and "_end_time" not in own and has_room
                    if takes:
                        for key in copied:
                            waiting.pop(key, None)
                        waiting.update(copied)
                if takes:
                    if is_marked:
                        self._is_marked = True
                    if is_marked or not KEPT_KEYS.isdisjoint(copied):
                        tell_kept(self, copied)
                    return
        super().set_attributes(attributes)

    def end(self, end_time: int | None = None) -> None:
        """End the span, as the SDK's method does."""
        if Span.end is not _sdk_end:
            super().end(end_time)
            return
        own = self.__dict__
        with own["_lock"]:
            is_open = "_end_time" not in own and "_start_time" in own
            if is_open:
                own["_end_time"] = _now_ns() if end_time is None else end_time
                if "_attributes" in own:
                    own["_attributes"]._immutable = True  # noqa: SLF001
        if not is_open:
            super().end(end_time)  # it has its own words for that
            return
        record_metrics = own["_given"].get("record_end_metrics")
        if record_metrics:
            record_metrics()
        ours: Any = own["_span_processor"]
        # Of what has no attributes but unmarked ones, and no events, only rules make something.
        if "_is_marked" in own or "_attributes" in own or "_events" in own or ours.looks_at_unmarked():
            ours.on_ending(self)


def why_no_light_spans() -> str:
    """Return why this SDK's spans cannot be stood for by light ones; empty where they can."""
    return next(_reasons(), "")


def _reasons() -> Iterator[str]:
    kind = getattr(sdk_trace, "_Span", None)
    if not (isinstance(kind, type) and issubclass(kind, Span)):
        yield "it makes its spans in another way"
        return
    if getattr(sdk_trace, "time_ns", None) is None:
        yield "it has another clock"
    if not all(_is_of_sdk(each) for each in (Span.start, Span.end, Span.set_attribute, Span.set_attributes)):
        yield "somebody has put a method in the place of one of a span's"
    # What a later SDK makes a span of, does at its end, or keeps in it, would be missed.
    parts = {
        "its spans are made of more": signature(Span.__init__).parameters.keys() - _KNOWN_ARGUMENTS,
        "the end of its spans is more": set(_sdk_end.__code__.co_names) - _KNOWN_OF_END,
    }
    for what, unknown in parts.items():
        if unknown:
            yield f"{what}: {', '.join(sorted(unknown))}"
            return
    if vars(BoundedAttributes(immutable=False)).get("_dict") != {}:
        yield "it keeps attributes in another way"
        return
    unknown = vars(kind("", _INVALID, limits=SpanLimits(), resource=Resource({}))).keys() - _KNOWN_FIELDS
    if unknown:
        yield f"its spans hold more: {', '.join(sorted(unknown))}"


def use_light_spans() -> str:
    """Have the SDK's tracers make light spans where a processor of ours takes them; once in a process.

    Returns:
        Why they do not; empty where they do.
    """
    global _answer, _set_one, _set_many
    if _answer is None:
        _answer = why_no_light_spans()
        _set_one, _set_many = Span.set_attribute, Span.set_attributes
        if not _answer:
            _stand_for(cast("Any", sdk_trace)._Span)  # noqa: SLF001
    return _answer


_answer: str | None = None
_set_one: Any = None
_set_many: Any = None


def _is_of_sdk(method: Any) -> bool:
    """Return whether a method of `Span` is the SDK's, or around it our own, which sees what is set."""
    method = unwrap(method, stop=lambda each: not _is_ours(each))
    return getattr(method, "__globals__", None) is vars(sdk_trace)


def _is_ours(method: Any) -> bool:
    return getattr(method, "__globals__", None) is vars(spans)


def _stand_for(kind: Any) -> None:
    """Have `kind`, the SDK's, answer with a light span where one does.

    By the class: tracers are made before and after this, wrapped, or called past their instance, and each of them ends
    up there with all that is decided. A tracer calls no `__init__` of what is not of that class.
    """
    make: Callable[..., Any] = kind.__new__
    # The SDK's own does no more than this for that class, and to hand all of it on would cost each sampled span time.
    is_plain = _is_of_sdk(make)

    def new(cls: type, *args: Any, **given: Any) -> Any:
        context = given.get("context")
        if context is not None and cls is kind and not args:
            state = trace_state_of(context)
            if type(state) is CarriedScope and state.is_dropped and not is_sampled(context):
                ours = getattr(given.get("span_processor"), IS_IN_FRONT, None)
                if ours is not None and getattr(ours, "takes_light_spans", False):
                    return _light(given, context, ours)
            if is_plain:
                return object.__new__(cls)
        return make(cls, *args, **given)

    kind.__new__ = staticmethod(new)


def _light(given: _Given, context: SpanContext, ours: EndingSpanProcessor) -> LightSpan:
    span = object.__new__(LightSpan)
    attributes = given.get("attributes")
    # A copy, since Flask changes those that it has handed over.
    span._waiting = copied = dict(attributes) if attributes else {}
    span._most = given["limits"].max_span_attributes
    # The SDK's methods ask for attributes inside this lock, which are made inside it.
    span._given, span._context, span._lock, span._span_processor = given, context, threading.RLock(), ours  # type: ignore[assignment]
    span._kind, span._parent = given.get("kind", SpanKind.INTERNAL), given.get("parent")
    if copied:
        is_marked = _clean(copied)
        if is_marked is not False or not KEPT_KEYS.isdisjoint(copied):
            # Who sees a span's start is to find them.
            given[_IS_CLEAN] = is_marked is not None
            _attributes(span, given)
    return span


def _clean(attributes: dict[str, Any]) -> bool | None:
    """Make of lists what the SDK does; return whether any attribute is the product side's, None for what may be odd."""
    is_marked = False
    for key, value in attributes.items():
        if type(key) is not str or not key:
            return None
        if type(value) not in _PLAIN:
            # Headers, as instrumentations capture them.
            if type(value) not in _LISTS or not value or not all(type(each) is str for each in value):
                return None
            attributes[key] = tuple(value)
        if PREFIX in key:
            is_marked = True
    return is_marked


def _attributes(span: LightSpan, given: _Given) -> BoundedAttributes:
    limits, own = given["limits"], span.__dict__
    most, longest = limits.max_span_attributes, limits.max_span_attribute_length
    with span._lock:  # noqa: SLF001
        if "_attributes" not in own:
            waiting, is_over = span._waiting, span._end_time is not None  # noqa: SLF001
            if longest is None and given.get(_IS_CLEAN, True) and (most is None or len(waiting) <= most):
                own["_attributes"] = made = BoundedAttributes(most, None, immutable=is_over)
                made._dict = waiting  # noqa: SLF001
            else:
                own["_attributes"] = BoundedAttributes(most, waiting, immutable=is_over, max_value_len=longest)
    found: BoundedAttributes = own["_attributes"]
    return found


def _events(span: Any, _: _Given) -> object:
    made = span._new_events()  # noqa: SLF001
    keep_evicted(made, span._span_processor.evicted_events)  # noqa: SLF001
    return made


def _links(span: Any, given: _Given) -> object:
    return span._new_links(given.get("links") or ())  # noqa: SLF001


def _limits(_: LightSpan, given: _Given) -> SpanLimits:
    limits: SpanLimits = given["limits"]
    return limits


def _resource(_: LightSpan, given: _Given) -> Resource:
    resource: Resource | None = given.get("resource")
    return Resource.create({}) if resource is None else resource


def _as_given(name: str, default: object = None) -> Callable[[LightSpan, _Given], object]:
    return lambda _, given: given.get(name, default)


_LATER: Mapping[str, Callable[[LightSpan, _Given], object]] = {
    "_name": _as_given("name"),
    "_resource": _resource,
    "_limits": _limits,
    "_attributes": _attributes,
    "_events": _events,
    "_links": _links,
    "_sampler": _as_given("sampler"),
    "_instrumentation_info": _as_given("instrumentation_info"),
    "_instrumentation_scope": _as_given("instrumentation_scope"),
    "_record_exception": _as_given("record_exception", default=True),
    "_set_status_on_exception": _as_given("set_status_on_exception", default=True),
    "_record_end_metrics": _as_given("record_end_metrics"),
}
"""What of an SDK's span is made when it is asked for."""

_KNOWN_FIELDS = _LATER.keys() | {
    "_context", "_kind", "_parent", "_lock", "_span_processor", "_start_time", "_end_time", "_status", "_trace_config",
}  # fmt: skip
_KNOWN_ARGUMENTS = frozenset({
    "self", "name", "context", "parent", "sampler", "trace_config", "resource", "attributes", "events", "links", "kind",
    "span_processor", "instrumentation_info", "record_exception", "set_status_on_exception", "limits",
    "instrumentation_scope", "record_end_metrics",
})  # fmt: skip
_KNOWN_OF_END = frozenset({
    "_lock", "_start_time", "RuntimeError", "_end_time", "logger", "warning", "time_ns", "_attributes", "_immutable",
    "_record_end_metrics", "_span_processor", "_on_ending", "on_end", "_readable_span",
})  # fmt: skip
_INVALID = SpanContext(0, 0, is_remote=False)
_sdk_start, _sdk_end = Span.start, Span.end
spans.light_kind = LightSpan


def _now_ns() -> int:
    now_ns: int = cast("Any", sdk_trace).time_ns()
    return now_ns
