"""Privacy: what may leave towards PostHog."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from otel_posthog.policy.defaults import ALLOWED_TELEMETRY_KEYS, DETECTORS, ID_KEYS, SENSITIVE_KEYS, WORD_LISTS
from otel_posthog.policy.frozen import FrozenMap
from otel_posthog.policy.sections.identity import IdentityMode
from otel_posthog.policy.sections.key_reference import KeyReference
from otel_posthog.policy.sections.method import HitMethod
from otel_posthog.policy.sections.rule import Rule


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """What may leave towards PostHog.

    Attributes:
        allow: Telemetry attribute keys that may become properties; all others are not sent.
        sensitive_keys: Words that make a property sensitive when they stand in its key as whole tokens
            (`auth` is not in `author`); several words in one entry must stand next to each other (`api key`). Under a
            built-in word what tells of nobody stays (`has_password: true`, `token_count: 7`); under your own nothing.
        word_lists: Built-in lists of further such words, by name: `special_categories` has those of health, religion,
            trade unions, ethnic origin, sexual orientation and political opinion. Whatever is under one goes, also a
            yes or no.
        id_keys: Words, read in the same way, that name the id of a user, session, device or visitor: what is under
            such a key goes where the identity mode does not send ids, and on the operational side.
        rules: What is done with certain keys, and with what a detector finds under them; the first that fits decides,
            before `sensitive_keys`.
        detectors: The value detectors and what each does with what it finds; one that is not named is off. In a file,
            a map changes the methods of those that it names, a list switches on exactly those in it.
        hmac_key: Where the key of the method `hmac` is read from; at least 32 bytes.
        hmac_secret: That key, once it is read.
        max_depth: Levels of nesting that are kept; what is deeper goes.
        max_items: Entries of one list or map that are kept.
        max_properties: Properties of one event that are kept.
        max_string_chars: Characters of one string that are kept; the name of an event is never cut.
    """

    allow: frozenset[str] = ALLOWED_TELEMETRY_KEYS
    sensitive_keys: frozenset[str] = SENSITIVE_KEYS
    word_lists: frozenset[str] = field(
        default=frozenset(), metadata={"choices": frozenset(WORD_LISTS), "noun": "word list"}
    )
    id_keys: frozenset[str] = ID_KEYS
    rules: tuple[Rule, ...] = ()
    detectors: FrozenMap[str, HitMethod] = field(
        default=FrozenMap(dict.fromkeys(sorted(DETECTORS), HitMethod.REPLACE)),
        metadata={"choices": DETECTORS, "noun": "detector"},
    )
    hmac_key: KeyReference | None = None
    hmac_secret: bytes | None = field(default=None, repr=False)
    max_depth: int = 6
    max_items: int = 200
    max_properties: int = 500
    max_string_chars: int = 8192

    @property
    def listed_words(self) -> frozenset[str]:
        """The words of the lists that are switched on."""
        return frozenset[str]().union(*(WORD_LISTS[name] for name in self.word_lists))

    def in_mode(self, mode: IdentityMode) -> PrivacyPolicy:
        """Return what may leave in an identity mode: a key is named as an id in vain where ids are sent."""
        return replace(self, id_keys=frozenset()) if mode is IdentityMode.IDENTIFIED else self
