"""Privacy: what may leave towards PostHog, by which rules and methods, and what may go on operationally.

`privacy/` applies it, and `operational/` the part of the operational side. The built-in lists are in `defaults.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from otel_posthog.policy.defaults import (
    ALLOWED_TELEMETRY_KEYS,
    DETECTORS,
    ID_KEYS,
    SENSITIVE_KEYS,
    USER_KEY_PREFIXES,
    USER_KEYS,
    WORD_LISTS,
)
from otel_posthog.policy.fields import Choice, FrozenMap, setting
from otel_posthog.policy.section import Section
from otel_posthog.policy.sections.events_url import EventsUrl
from otel_posthog.policy.sections.identity import IdentityMode


class HitMethod(Choice):
    """What is done with what a detector finds."""

    REPLACE = "replace", "a marker of the detector's name (`[email]`) stands in its place."
    MASK = "mask", "`****` stands in its place, whatever was there."
    HMAC = (
        "hmac",
        "a keyed token (`[email#...]`) stands in its place: same value, same token; needs `hmac_key`.",
    )
    IP_PREFIX = "ip_prefix", "an address becomes its network, `/24` or `/48`; for the detector `ip` only."
    DROP = "drop", "the property in which it is found goes."
    OFF = "off", "the detector is not run."


class Method(Choice):
    """What a rule does with the values of the keys that it picks."""

    DROP = "drop", "the property goes."
    REPLACE = "replace", "`[redacted]` stands in its place."
    MASK = "mask", "`****` stands in its place, followed by the last `keep_last` characters where that is set."
    HMAC = "hmac", "a keyed token stands in its place: same value, same token; needs `hmac_key`."
    TRUNCATE = "truncate", "text is cut to `max_chars`, after the detectors have looked at it."
    BUCKET = "bucket", "a number becomes the range of `bounds` in which it lies."
    IP_PREFIX = "ip_prefix", "an address becomes its network, `/24` or `/48`; a value that is no address goes."
    KEEP = "keep", "sensitive words in the key do not count, or the rule's detector is not run."


@dataclass(slots=True, repr=False, eq=False)
class KeyReference(Section):
    """One of the two places from which a secret key is read, at start."""

    env: str | None = setting(None, "The name of an environment variable that holds the key.")
    file: str | None = setting(None, "The path of a file that holds the key, relative to the policy file.")


@dataclass(slots=True, repr=False, eq=False)
class Rule(Section):
    """One rule: (key selector, detector, method). The first rule that picks a key decides."""

    name: str = setting(
        "rule",
        "What receipts and counts call it: lowercase letters, digits and `_`; `rule` where not given.",
    )
    keys: tuple[str, ...] = setting(
        (),
        "Keys that it picks, at any depth, however they are capitalised; `*` stands for any characters (`billing.*`), "
        "and `form.iq` also picks the `iq` in a map `form`.",
    )
    words: tuple[str, ...] = setting(
        (),
        "Words that pick a key when they stand in it as whole tokens, as in `sensitive_keys`.",
    )
    detector: str | None = setting(
        None,
        "Picks only what this detector finds in the values; None picks the values whole.",
        choices=DETECTORS,
        noun="detector",
    )
    method: Method = setting(Method.DROP, "What is done with what is picked.")
    keep_last: int = setting(
        0,
        "For `mask`: how many of the last characters stay readable, at most 4 and at most a quarter of the value (two "
        "of eight); 0 keeps none.",
        minimum=0,
        maximum=4,
    )
    max_chars: int = setting(64, "For `truncate`: how many characters are kept.")
    bounds: tuple[float, ...] = setting((), "For `bucket`: the ascending limits between the ranges.", minimum=None)


@dataclass(slots=True, repr=False, eq=False)
class PrivacyPolicy(Section):
    """What may leave towards PostHog."""

    allow: frozenset[str] = setting(
        ALLOWED_TELEMETRY_KEYS,
        "Telemetry attribute keys that may become properties; all others are not sent.",
    )
    sensitive_keys: frozenset[str] = setting(
        SENSITIVE_KEYS,
        "Words that make a property sensitive when they stand in its key as whole tokens (`auth` is not in `author`); "
        "several words in one entry must stand next to each other (`api key`). Under a built-in word stays what says "
        "nothing about a person (`has_password: true`, `token_count: 7`); under your own nothing stays.",
    )
    word_lists: frozenset[str] = setting(
        frozenset(),
        "Built-in lists of further such words, by name: `special_categories` has those of health, religion, trade "
        "unions, ethnic origin, sexual orientation and political opinion. Whatever is under one goes, also a yes or "
        "no.",
        choices=frozenset(WORD_LISTS),
        noun="word list",
    )
    id_keys: frozenset[str] = setting(
        ID_KEYS,
        "Words, read in the same way, that name the id of a user, session, device or visitor: what is under such a "
        "key goes where the identity mode does not send ids, and on the operational side.",
    )
    rules: tuple[Rule, ...] = setting(
        (),
        "What is done with certain keys, and with what a detector finds under them; the first that fits decides, "
        "before `sensitive_keys`.",
    )
    detectors: FrozenMap[str, HitMethod] = setting(
        FrozenMap(dict.fromkeys(sorted(DETECTORS), HitMethod.REPLACE)),
        "The value detectors and what each does with what it finds; one that is not named is off. In a file, a map "
        "changes the methods of those that it names, a list switches on exactly those in it.",
        choices=DETECTORS,
        noun="detector",
    )
    hmac_key: KeyReference | None = setting(None, "Where the key of the method `hmac` is read from; at least 32 bytes.")
    hmac_secret: bytes | None = setting(None, "That key, once it is read.", secret=True)
    max_depth: int = setting(6, "Levels of nesting that are kept; what is deeper goes.")
    max_items: int = setting(200, "Entries of one list or map that are kept.")
    max_properties: int = setting(500, "Properties of one event that are kept.")
    max_string_chars: int = setting(8192, "Characters of one string that are kept; the name of an event is never cut.")

    @property
    def listed_words(self) -> frozenset[str]:
        """The words of the lists that are switched on."""
        return frozenset[str]().union(*(WORD_LISTS[name] for name in self.word_lists))

    def in_mode(self, mode: IdentityMode) -> PrivacyPolicy:
        """Return what may leave in an identity mode: where ids are sent, no key is removed for naming one."""
        return replace(self, id_keys=frozenset()) if mode is IdentityMode.IDENTIFIED else self


@dataclass(slots=True, repr=False, eq=False)
class OperationalPolicy(Section):
    """What may go on towards the operational backends.

    Product attributes are always taken off, whatever is set here.
    """

    redact: bool = setting(True, "Whether the detectors run over what is left.")
    event_names: bool = setting(
        False,
        "Whether the metric `otel_posthog.events.by_name` counts events by their names, as they are sent, and the "
        "templates of their routes: 200 of them at most. Where it is false no name of an event is on this side.",
    )
    events_url: EventsUrl | str | None = setting(
        None,
        "Where PostHog shows the events of a trace, written as the attribute `posthog.events_url` on each sampled span "
        "that is a product event or holds one: an address with `{trace_id}`, or a section; without it none is.",
    )
    user_keys: frozenset[str] = setting(USER_KEYS, "Attribute keys that name a user and are removed.")
    user_key_prefixes: tuple[str, ...] = setting(USER_KEY_PREFIXES, "The same for whole namespaces.")
    id_keys: frozenset[str] | None = setting(
        None,
        "Words that name the id of a user, session, device or visitor, whose values are replaced; those of "
        "`privacy.id_keys` where not given.",
    )
    exporter_keys: FrozenMap[str, frozenset[str]] = setting(
        FrozenMap(),
        "What one exporter gets as it is, by the name of its class (`LangfuseExporter`, or with its module): "
        "attribute keys, such as `user.id` and `session.id` for a tool that is about users and sessions.",
    )
