"""A compiled policy: its detectors, its methods, and how it reads each key.

Comes in: a key, the keys above it, the name that a sibling gives its value. Goes out: a `Key`, which says what its
value may be and what is done with it. Made once for a policy, used by any thread; keys are few, and each is cached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from otel_posthog.errors import ConfigurationError
from otel_posthog.model import REDACTED
from otel_posthog.policy import HitMethod, Method, PrivacyPolicy
from otel_posthog.policy.checks import MAX_KEY_CHARS
from otel_posthog.policy.defaults import DETECTORS, SENSITIVE_KEYS
from otel_posthog.posthog.properties import reserved_by
from otel_posthog.privacy.keys import KeyFacts, KeyRules
from otel_posthog.privacy.methods import MARKERS, HitMethods, Tokens, hit_methods
from otel_posthog.privacy.scan import CountActions, Fired, Scanner
from otel_posthog.privacy.selectors import Selectors, ValueRule
from otel_posthog.privacy.siblings import both_halves, name_of, names_beside, other_half
from otel_posthog.regex import regex

# A marker that replaced a part of a key says nothing of the value; `user[email]` does.
_OWN_MARKER = regex(rf"(?<!\w)\[(?:{'|'.join(sorted(DETECTORS))})\]")
_PLACE = frozenset(("gps",))
# Keys that name an id only together with the key above: the `id` of a `user`.
_IDS = frozenset(("id", "ids", "uuid", "uid", "guid", "identifier", "hash", "key", "previous_id"))
# Every event has the same few keys; a stream of ever new ones must not fill the memory.
_KEYS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be sent and shown.

    Attributes:
        name: With markers in place of what the detectors found in it.
        facts: What it says of its value.
        reserved: The rule by which an app may not set it at the top level of an event, a person or a group; empty: it
            may.
        fired: The detectors that found something in it.
        methods: Which detectors look at its value, and what stands for a hit of each.
        rule: What is done with its value whole, if anything.
        half: The sibling key with the other half of a place: two numbers that are a place only together.
        names: Sibling keys whose value may be the name of this one's value.
        path: Its name after those of the keys above it, where rules ask for that.
        is_plain: Whether none of the above applies, so that its value is a value like any other.
    """

    name: str
    facts: KeyFacts
    reserved: str
    fired: tuple[str, ...] = ()
    methods: HitMethods = MARKERS
    rule: ValueRule | None = None
    half: str = ""
    names: tuple[str, ...] = ()
    path: str = ""
    is_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        plain = not (self.reserved or self.fired or self.facts.sensitive or self.rule or self.half or self.names)
        object.__setattr__(self, "is_plain", plain)


class Rules:
    """The compiled policy; immutable but for a cache, safe to share between threads.

    Args:
        policy: What may leave.
        note: As `Scanner` has it.

    Attributes:
        policy: As given.
        scanner: The detectors.
        methods: What stands for a hit of each detector where no rule says otherwise.

    Raises:
        ConfigurationError: A method needs a key that the policy does not name.
    """

    def __init__(self, policy: PrivacyPolicy, note: CountActions | None = None) -> None:
        self.policy = policy
        tokens = _tokens(policy)
        # What is built in reads a yes, a count or a kind under its words as harmless; who writes a word means it.
        written = policy.sensitive_keys - SENSITIVE_KEYS
        self._key_rules = KeyRules(policy.sensitive_keys, policy.id_keys, policy.listed_words | written)
        self._facts = lru_cache(_KEYS_KEPT)(self._key_rules.facts)
        self.scanner = Scanner(DETECTORS, self._facts, note)
        off = dict.fromkeys(DETECTORS, HitMethod.OFF)
        self.methods = hit_methods({**off, **policy.detectors}, tokens)
        # In keys and names a hit is always replaced by its marker: a key cannot go and leave its value behind.
        self._key_methods = HitMethods(skipped=self.methods.skipped) if self.methods.skipped else MARKERS
        self._selectors = Selectors(policy.rules, self.methods, tokens)
        self.key = lru_cache(_KEYS_KEPT)(self._read)

    def is_flag_value(self, before: object, value: object) -> bool:
        """Return whether `value` follows a sensitive flag in a list of arguments (`--password`, `…`)."""
        if not isinstance(before, str) or before[:1] != "-" or "=" in before or not isinstance(value, str):
            return False
        return value[:1] != "-" and value != REDACTED and self._facts(before[:MAX_KEY_CHARS]).sensitive

    def hides(self, name: str) -> bool:
        """Return whether a value under a key of that name is to go."""
        read = self.key(name)
        if read.rule is not None:
            return read.rule.method is not Method.KEEP
        return read.facts.sensitive and not read.facts.lenient

    def inside(self, outer: Key, key: Key) -> Key:
        """Return the reading of `key` in a map under `outer`: the `id` of a `user` is a user id."""
        if self._selectors.picks_inner:
            path = f"{outer.path or outer.name}.{key.name}"[:MAX_KEY_CHARS]
            rule, methods = self._selectors.value_rule(key.name, path), self._selectors.hit_methods(key.name, path)
            key = replace(key, path=path, rule=rule, methods=methods)
        if key.name.lower() not in _IDS or key.facts.sensitive or key.rule is not None:
            return key
        for name in (outer.name, outer.name.removesuffix("s")):
            facts = self.key(f"{name}.{key.name}").facts
            if facts.identifier:
                return replace(key, facts=facts)
        return key

    def named(self, key: Key, name: str | None) -> Key:
        """Return the reading of `key` when a sibling says that its value is called `name`.

        Such names may be anything, personal data too: none of them is cached.
        """
        if name is None:
            return key
        facts = self._facts_of(name, [])[1]
        short = name[:MAX_KEY_CHARS]
        rule = self._selectors.value_rule(short)
        if not (facts.sensitive or rule):
            return key
        if other_half(short, facts.kinds):
            facts = replace(facts, kinds=facts.kinds | _PLACE)
        return Key(key.name, facts, key.reserved, key.fired, self._selectors.hit_methods(short), rule)

    def gains_meaning(self, name: str, left: Mapping[Any, object], among: Mapping[Any, object]) -> bool:
        """Return whether what is left of the siblings of an entry says more of its value than the siblings did before.

        Args:
            name: The entry's key.
            left: The entries that are left.
            among: The entries as they were.
        """
        key = self.key(name)
        told = name_of(key.names, left)
        if told is not None and told != name_of(key.names, among):
            return self.named(key, told) is not key
        return bool(key.half) and both_halves(left[name], left.get(key.half)) is not None

    def _read(self, key: str) -> Key:
        fired: Fired = []
        name, facts = self._facts_of(key, fired)
        short = key[:MAX_KEY_CHARS]
        half = other_half(short, facts.kinds)
        return Key(
            name,
            replace(facts, kinds=facts.kinds | _PLACE) if half else facts,
            reserved=reserved_by(key),
            fired=tuple(fired),
            methods=self._selectors.hit_methods(short),
            rule=self._selectors.value_rule(short),
            half=half,
            names=names_beside(short),
        )

    def _facts_of(self, key: str, fired: Fired) -> tuple[str, KeyFacts]:
        """Return `key` with markers for hits, and its facts; `fired` gets the detectors that found something."""
        name = self.scanner.clean(key, max_chars=MAX_KEY_CHARS, fired=fired, methods=self._key_methods)
        facts = self._key_rules.facts(_OWN_MARKER.sub("", key))
        return name, _stricter(facts, self._key_rules.facts(_OWN_MARKER.sub("", name))) if fired else facts


def _stricter(whole: KeyFacts, left: KeyFacts) -> KeyFacts:
    """Return the facts of a key in which a marker replaced a part."""
    if not left.sensitive:
        # Letters of an address or a token may look like words; only what is left of the key counts.
        return replace(whole, version=whole.version and left.version) if whole.sensitive else left
    if not whole.sensitive:
        return left
    # What only the whole key says to be harmless would not be harmless when the sent key is read again.
    return replace(
        left,
        lenient=whole.lenient and left.lenient,
        reference=whole.reference and left.reference,
        max_number=min(whole.max_number, left.max_number),
        counts=whole.counts and left.counts,
        version=whole.version and left.version,
        strict=whole.strict or left.strict,
    )


def _tokens(policy: PrivacyPolicy) -> Tokens | None:
    used = HitMethod.HMAC in policy.detectors.values() or any(rule.method is Method.HMAC for rule in policy.rules)
    if policy.hmac_secret is not None:
        return Tokens(policy.hmac_secret)
    if used:
        raise ConfigurationError("the method hmac needs a key; name one in the policy's privacy.hmac_key")
    return None
