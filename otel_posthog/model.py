"""What is handed from stage to stage: plain, frozen values.

An application thread makes a `Signal` of what it recognised; `translate` makes `Event`s of it; `privacy`
and `identity` make a `CleanEvent` of each, the only form that may be queued for sending, written to a disk or shown.
No stage keeps a reference into a live span: every mapping here is owned by the value that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from otel_posthog.regex import regex

Attributes = Mapping[str, object]
"""OpenTelemetry attributes as the SDK hands them on: str keys; bool, int, float, str, bytes, sequences, mappings."""

MAX_NAME_BYTES = 200
"""PostHog's limit for an event name, in UTF-8: Capture V1 drops an event with a longer one."""

EXCEPTION_EVENT = "$exception"
"""What PostHog's error tracking calls an exception."""

PROCESSED = "otel_posthog.processed"
"""Attribute of what has been through this package on its way to an operational backend: of the resource of spans and
log records, and of an exception. Whether it becomes an event was that process's to decide, and its user's: a gateway
behind it makes none of it."""

EVENTS_URL = "posthog.events_url"
"""Attribute of a span that is or holds a product event: where those of its trace are seen, if the policy says so."""

GONE = object()
"""What stands for a value that may not go on, where nothing can stand for it: the entry that holds it goes too."""

REDACTED = "[redacted]"
"""What stands for a value that was removed whole."""

NO_ATTRIBUTES: Attributes = MappingProxyType({})
NO_GROUPS: Mapping[str, str] = MappingProxyType({})


class Source(str, Enum):
    """Which kind of telemetry an event was read from."""

    SPAN = "span"
    SPAN_EVENT = "span_event"
    LOG = "log"


class EventKind(str, Enum):
    """What an event does; all but `PRODUCT` change persons or groups and bear PostHog's own name, which is the value.

    `IDENTIFY`: says that this is a known person, with `subject.person_set`.
    `SET`, `SET_ONCE`: change the person's properties and nothing else.
    `ALIAS`: says that `subject.alias` and `subject.user_id` are one person.
    `GROUP_IDENTIFY`: sets properties of a group, which are in `event.group`.

    Source: the events that posthog-python (`posthog/client.py`) sends for `set`, `set_once`, `alias`, `group_identify`,
    and https://posthog.com/docs/api/capture for `$identify`.
    """

    PRODUCT = "product"
    IDENTIFY = "$identify"
    SET = "$set"
    SET_ONCE = "$set_once"
    ALIAS = "$create_alias"
    GROUP_IDENTIFY = "$groupidentify"


class OpenConsent:
    """A consent that was given while no user was known; it becomes that of the first user who acts."""

    __slots__ = ("_owner",)

    def __init__(self) -> None:
        self._owner: dict[None, str] = {}

    def is_of(self, who: str | None) -> bool:
        """Return whether this is the consent of `who`; it becomes theirs where it belongs to no user yet."""
        return who is None or self._owner.setdefault(None, who) == who  # two threads at once: one is first


@dataclass(frozen=True, slots=True)
class ContextIdentity:
    """Who acts where an item is handed over, as its span, its block and its request say.

    Attributes:
        consent: What was said without naming a user.
        pseudonym: What another service with this package sent in baggage in place of the user's id.
        denied: The ids of users who deny consent.
        consented: The ids, or pseudonyms, of users who gave it.
        open_consents: Consents that were given while no user was known.
        hears_span: Whether the consents that the item's span says are among these, with whose they are.
        do_not_track: Whether a browser asks for it.
        other_ids: (whose, id) of what was said and is overruled, `user`, `session`, `window` or `group`.
        waits_for: Who may come to act, where the request's user is not known yet.
        window_id: The window, or tab, of the browser.
    """

    user_id: str | None = None
    session_id: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    consent: bool | None = None
    pseudonym: str | None = None
    denied: frozenset[str] = frozenset()
    consented: frozenset[str] = frozenset()
    open_consents: frozenset[OpenConsent] = frozenset()
    hears_span: bool = False
    do_not_track: bool = False
    other_ids: tuple[tuple[str, str], ...] = ()
    waits_for: UnknownUser | None = None
    window_id: str | None = None


class UnknownUser(Protocol):
    """The user of a request in which the app has not looked who it is; `actor` knows more."""

    def hold(self, submit: Submit, signal: Signal, *, may_wait: bool = True) -> bool:
        """Return whether the event is taken over, to be submitted once the user is known.

        Args:
            submit: Takes it then.
            signal: The event.
            may_wait: Whether that may be later.
        """


class Flag(NamedTuple):
    """What a feature flag said, for later events of the same context.

    Attributes:
        key: The flag's.
        response: What PostHog compares: a truth value, or the variant.
        user_id: To whom; None where nobody was known.
        time_ns: When, in Unix nanoseconds.
    """

    key: str
    response: bool | str
    user_id: str | None
    time_ns: int


class Signal(NamedTuple):
    """One product item as an application thread recognised it; nothing in it is filtered yet.

    A named tuple: the application's thread makes one for every event, and a frozen dataclass takes three times as long.

    Attributes:
        source: The kind of telemetry it was read from.
        name: The event's name as the app wrote it, without the `analytics.` prefix of an event name.
        attributes: All attributes of the item, product and operational.
        time_ns: Span end, span event's own time, or log time (else its observed time); Unix nanoseconds.
        trace_id: 0 when the item belongs to no trace.
        span_id: 0 when the item belongs to no span.
        resource: The attributes of the resource that emitted it.
        context: The identity in context when the item was made, if any.
        observed_time_ns: When a log was observed, or the span of a span event ended; used where `time_ns` cannot be
            meant.
        repeat_index: 0 for the first of its name and time within one span, else the number of those before it; for a
            log record of this process, its number in the order of recognition.
        dropped_attributes: How many attributes the SDK's limits had evicted before they could be read.
        uid: A hash of all that was received of a log record, for one without a uid; empty for every other item.
        parent: For a span event the attributes of its span, which say who acts where those of the event do not.
        rule: The `id` of the recogniser's rule that says it is a product event.
        flags: What feature flags had said before it, in the request that it is of.
        is_sampled: Whether the trace that it belongs to was sampled as it began.
    """

    source: Source
    name: str
    attributes: Attributes
    time_ns: int
    trace_id: int = 0
    span_id: int = 0
    resource: Attributes = NO_ATTRIBUTES
    context: ContextIdentity | None = None
    observed_time_ns: int = 0
    repeat_index: int = 0
    parent: Attributes = NO_ATTRIBUTES
    dropped_attributes: int = 0
    uid: bytes = b""
    rule: str = ""
    flags: tuple[Flag, ...] = ()
    is_sampled: bool = True


class Subject(NamedTuple):
    """Who an event is about, as the telemetry tells it; what of this may leave is the identity stage's decision.

    A named tuple as a `Signal` is, and an `Event` and a `Person` are: the worker makes one of each for every event.

    Attributes:
        alias: Another id of the same person, usually the one from before log-in; only an `ALIAS` event sends it.
        groups: Group type -> group key.
        person_set: Person properties to set.
        person_set_once: Person properties to set where there are none yet.
        consent: None where the telemetry says nothing of it.
        do_not_track: Whether a browser asks for it; what that means is the policy's decision.
        pseudonym: What another service with this package sent in place of the user's id; used where there is no id.
        wants_profile: False where the app asks for an event without a profile of its person.
        other_ids: What the telemetry calls the user, the session, the window or a group as well, each with which of
            them it is: where two names differ, one wins, and the other must not come back as a property.
        journey_id: The journey that it is a part of.
        window_id: The window, or tab, of the browser.
    """

    user_id: str | None = None
    alias: str | None = None
    session_id: str | None = None
    groups: Mapping[str, str] = NO_GROUPS
    person_set: Attributes = NO_ATTRIBUTES
    person_set_once: Attributes = NO_ATTRIBUTES
    consent: bool | None = None
    pseudonym: str | None = None
    other_ids: tuple[tuple[str, str], ...] = ()
    do_not_track: bool = False
    wants_profile: bool = True
    journey_id: str | None = None
    window_id: str | None = None


class GroupUpdate(NamedTuple):
    """What a `GROUP_IDENTIFY` event says of a group.

    Attributes:
        type: The group's type (`company`).
        key: Which group of that type.
        properties: The group's properties to set, not filtered yet.
    """

    type: str
    key: str
    properties: Attributes = NO_ATTRIBUTES


class Event(NamedTuple):
    """A product event in PostHog's terms, not filtered yet.

    Attributes:
        name: 1-200 UTF-8 bytes.
        uuid: Lowercase, the same however often the same telemetry is delivered.
        time_ns: Unix nanoseconds.
        properties: What the app declared (`analytics.property.*`, `analytics.*`); goes through key rules and detectors.
        telemetry: Every other attribute of the item and its resource; only what the policy's allow-list names may pass.
        subject: Who.
        trace_id: 32 lowercase hex digits, or None.
        span_id: 16 lowercase hex digits, or None.
        source: The kind of telemetry it was read from.
        kind: What it does; the name of one that is no `PRODUCT` is `kind.value`.
        group: The group that a `GROUP_IDENTIFY` is about; None for every other kind.
        is_sampled: Whether its trace was sampled as it began.
    """

    name: str
    uuid: str
    time_ns: int
    properties: Attributes
    telemetry: Attributes
    subject: Subject
    trace_id: str | None
    span_id: str | None
    source: Source
    kind: EventKind = EventKind.PRODUCT
    group: GroupUpdate | None = None
    is_sampled: bool = True


class Person(NamedTuple):
    """Who an event is sent as, after the identity mode of a destination has decided.

    Attributes:
        distinct_id: PostHog's `distinct_id`.
        has_profile: False keeps the event personless (`$process_person_profile: false`).
        properties: What identity adds to the event (`$groups`, `$set`, `$session_id`, `$ip`, ...).
    """

    distinct_id: str
    has_profile: bool
    properties: Attributes = NO_ATTRIBUTES


class CleanEvent(NamedTuple):
    """An event that has passed privacy: bytes that may be stored and sent as they are.

    Attributes:
        uuid: Lowercase; the key under which PostHog drops repeats.
        body: One Capture V1 event as UTF-8 JSON (keys `event`, `uuid`, `distinct_id`, `timestamp`, `options`,
            `properties`, and `session_id` where there is one).
        destination: The name of the policy's destination it was cleaned for.
    """

    uuid: str
    body: bytes
    destination: str = "default"


class Scrubber(Protocol):
    """What the operational side needs of the detectors; `privacy.Filter` is one."""

    def scrub_value(self, key: str, value: object, among: Mapping[str, object] = ...) -> object:
        """Return `value` with what the detectors find replaced, the same object where they find nothing.

        What is not a text does not become one: it is `GONE` where it may not stay as it is.

        Args:
            key: The attribute's key.
            value: Its value.
            among: The attributes of the item; two numbers may be a place only together.
        """

    def depends(self, key: str) -> bool:
        """Return whether a value under `key` may be harmless by itself, and not beside others."""

    def scrub_text(self, text: str) -> str:
        """Return `text` with what the detectors find replaced; the same object where they find nothing."""

    def names_id(self, key: str) -> bool:
        """Return whether `key` is named as the id of a user, session, device or visitor."""

    def paths(self, attributes: Attributes) -> Mapping[str, str]:
        """Return those paths among `attributes` of which their route says that a part is to go, without it."""


Note = Callable[[str], None]
"""Told what of an event could not be taken as it was given: a fixed identifier that is counted, never a value."""

Submit = Callable[[Signal], None]
"""Where intake hands signals to; never raises, never blocks on the network."""

Flush = Callable[[float], bool]
"""`flush(timeout_s)` waits until what was submitted is delivered; False where the time did not suffice."""

Close = Callable[[], None]
"""Called when a provider shuts down; delivers what is waiting, within the exit budget."""


UNSHOWN_KEY = "[key]"
"""What stands in a receipt for a part of a key that might be personal data."""

# Names of properties, indexes and markers of the detectors; a sentence or a long number is no name a developer gave.
_SHOWN_PATH = regex(r"(?!.*\d{7})[\w$\[\]:/.-]{1,300}")


@dataclass(slots=True)
class Receipt:
    """What privacy did to one event: which rule fired on which key and what it did, never a value.

    Attributes:
        policy: The revision of the policy that did it.
        entries: (key, rule, action) in the order in which they fired; key is the dotted path of the property, with
            `[key]` for a part that does not look like a name.
        is_detailed: Whether the attributes are noted, too, whose keys are not on the allow-list; for a person to read.
    """

    entries: list[tuple[str, str, str]] = field(default_factory=list)
    is_detailed: bool = False
    policy: str = ""

    def add(self, key: str, rule: str, action: str) -> None:
        """Note that `rule` did `action` (`removed`, `replaced`, `truncated`, ...) to the property at `key`."""
        self.entries.append((shown_path(key), rule, action))


def shown_path(path: str) -> str:
    """Return the dotted `path` of a property as a receipt has it."""
    if _SHOWN_PATH.fullmatch(path):
        return path
    return ".".join(part if _SHOWN_PATH.fullmatch(part) else UNSHOWN_KEY for part in path.split("."))
