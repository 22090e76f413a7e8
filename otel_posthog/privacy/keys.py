"""Key facts: what the words of a key say of its value, that it is sensitive, a count, a version, the address of a page.

A key is split into words: `auth` is sensitive in `auth_header` and in `authHeader`, not in `author`. Words next to each
other also count as one (`api_key`, `apiKey`, `apikey`). Pure; filters cache the facts of a key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from otel_posthog.policy.defaults import NOBODYS_ID_KEYS
from otel_posthog.privacy.words import (
    COUNTERS,
    CREDENTIALS,
    DESCRIPTORS,
    FLAGS,
    HARMLESS_KEYS,
    HARMLESS_PHRASES,
    JOINED,
    JOINED_SHORT,
    KINDS,
    MEASURES,
    NEVER_NUMBERS,
    NO_PLURALS,
    PAGES,
    REFERENCES,
    USED,
    VERSIONS,
)
from otel_posthog.regex import regex

# Latin letters with their accents are letters of one word; other scripts are words of their own.
_LATIN = "a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_CAPITALS = "A-Z\u00c0-\u00d6\u00d8-\u00de"
_TOKEN = regex(rf"[{_CAPITALS}]+(?![{_LATIN}])|[{_CAPITALS}]?[{_LATIN}]+|\d+|[^\W\d_{_CAPITALS}{_LATIN}]+")

MAX_KEY_CHARS = 256  # longer ones are read so far; none of ours or of the conventions comes near

_MAX_COUNT = 10**12
_MOST_DOTTED = 3
INNER_NAMES = frozenset(("id", "previous_id", "owner"))
"""Words that say whose something is together with the one in front of them."""
_MAX_NEVER_NUMBERS = 10**7
MAX_FEW = 999  # codes that a list is named after have four digits or more
_NO_KINDS: frozenset[str] = frozenset()
_KINDS = {kind: words.union(f"{word}s" for word in words) for kind, words in KINDS.items()}
_KIND_WORDS = _NO_KINDS.union(*_KINDS.values())


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says of its value.

    Attributes:
        sensitive: The policy names a word in it.
        credential: That word means a secret, not a person.
        lenient: It names a kind or a state (`auth_method`, `has_password`).
        reference: After the sensitive word it ends in a word for a location or a name (`secret_arn`).
        max_number: A number up to this size counts things (`token_count`); 0 where no number does.
        counts: A word of the key says that it counts (`token_count`); a plural alone does not: `tokens` may be a list.
        version: A number with dots under it is a version.
        kinds: The detectors whose values it names; they need less evidence for a hit under it than in any text.
        page: Its value is the address of a page.
        identifier: It is sensitive only because it names the id of a person or device; even a short value counts.
        strict: No value under it is harmless, not even a yes, a number or a kind.
    """

    sensitive: bool = False
    credential: bool = False
    lenient: bool = False
    reference: bool = False
    max_number: int = 0
    counts: bool = False
    version: bool = False
    kinds: frozenset[str] = frozenset()
    page: bool = False
    identifier: bool = False
    strict: bool = False


NO_FACTS = KeyFacts()
PAGE_FACTS = KeyFacts(page=True)


class KeyRules:
    """The policy's sensitive words, ready to be looked up.

    Args:
        words: Single words, and several in a row, written in any way in which keys are.
        ids: Words that name ids of people, read in the same way.
        strict: Words under which nothing is harmless, read in the same way.
    """

    def __init__(self, words: Iterable[str], ids: Collection[str] = (), strict: Collection[str] = ()) -> None:
        self._words = _Words(words)
        self._ids = _Words(ids) if ids else None
        self._strict = _Words(strict) if strict else None

    def facts(self, key: str) -> KeyFacts:
        """Return the facts of `key`."""
        tokens = _tokens(key)
        facts = self._words.facts(key, tokens)
        if self._strict is not None and (found := self._strict.facts(key, tokens)).sensitive:
            return KeyFacts(sensitive=True, credential=facts.credential, kinds=found.kinds, strict=True)
        if self._ids is None or facts.sensitive or key in NOBODYS_ID_KEYS:
            return facts
        named = self._ids.facts(key, tokens)
        return replace(named, credential=False, identifier=True) if named.sensitive else facts


class _Words:
    """One list of sensitive words."""

    def __init__(self, words: Iterable[str]) -> None:
        # Split like keys: `case_number` and `shoeSize` in a policy mean the key.
        self._phrases = frozenset(tokens for word in words if (tokens := _tokens(word)))
        # `apikey` and `api_key` are the same word.
        self._joined = frozenset("".join(phrase) for phrase in self._phrases)
        self._longest = max((len(phrase) for phrase in self._phrases), default=1)
        # Almost no word of a key is the beginning of one of them.
        self._beginnings = frozenset(word[:end] for word in self._joined for end in range(1, len(word) + 1))
        self._endings = tuple(JOINED & self._joined)
        self._short = {
            f"{before}{ending}": word
            for ending, (word, firsts) in JOINED_SHORT.items()
            if word in self._joined
            for before in firsts
        }

    def facts(self, key: str, tokens: tuple[str, ...]) -> KeyFacts:
        """Return the facts of `key`, which consists of `tokens`."""
        version = not VERSIONS.isdisjoint(tokens) or ("user" in tokens and ("user", "agent") in pairwise(tokens))
        kinds = _NO_KINDS if _KIND_WORDS.isdisjoint(tokens) else _kinds(tokens)
        page = not PAGES.isdisjoint(tokens)
        hits = () if key in HARMLESS_KEYS else self._hits(tokens)
        if not hits and not (version or kinds or page):
            return NO_FACTS
        if not (hits or version or kinds):
            return PAGE_FACTS
        if not hits:
            return KeyFacts(version=version, kinds=kinds, page=page)
        counts = _counts(tokens, hits)
        return KeyFacts(
            sensitive=True,
            credential=any(not CREDENTIALS.isdisjoint((hit, _one(hit), *hit.split(" "))) for hit in hits),
            lenient=tokens[-1] in DESCRIPTORS or tokens[0] in FLAGS,
            reference=tokens[-1] in REFERENCES and not any(hit.split(" ")[-1] == tokens[-1] for hit in hits),
            max_number=_MAX_COUNT if counts else _max_number(tokens, hits, kinds),
            counts=counts,
            version=version,
            kinds=kinds,
            page=page,
        )

    def _hits(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        hits: list[str] = []
        for start, token in enumerate(tokens):
            end, joined = start + 1, token
            while True:
                if joined in self._joined or (joined[-1] == "s" and not self._joined.isdisjoint(_singulars(joined))):
                    words = tokens[start:end]
                    hits += () if _is_term(words, tokens) else (" ".join(words),)
                if end == len(tokens) or end - start == self._longest or joined not in self._beginnings:
                    break
                joined += tokens[end]
                end += 1
        return tuple(hits) or self._grown_together(tokens)

    def _grown_together(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        """Return the credentials that are the ends of longer words: `dbpassword`, `PGPASSWORD`."""
        hits: list[str] = []
        for token in tokens:
            word = token.removesuffix("s") if token[-2:] != "ss" else token
            if word.endswith(self._endings):
                hits.append(next(each for each in self._endings if word.endswith(each)))
            elif word in self._short:
                hits.append(self._short[word])
        return tuple(hits)


def dotted_facts(name: str, facts_of: Callable[[str], KeyFacts]) -> KeyFacts:
    """Return the facts of the last word of `name`, or of those with which it is one (`api.key`).

    What stands further in front is where it is from: a logger, a class, a table.

    Args:
        name: In front of a value in a text, with or without dots.
        facts_of: Reads keys without dots, and the ids of what stands in front (`user.id`).
    """
    parts = [each.strip("-") for each in name.removeprefix("-D").split(".") if each]
    if len(parts) < 2 or parts[-1].lower() in INNER_NAMES:
        return facts_of(name if len(parts) < 2 else ".".join(parts))
    facts = facts_of(parts[-1])
    if facts.sensitive:
        return facts
    for count in range(2, min(len(parts), _MOST_DOTTED) + 1):
        whole = facts_of("_".join(parts[-count:]))
        # `auth.views` is sensitive for its first word, and no word as one.
        if whole.sensitive and facts_of("".join(parts[-count:]).lower()).sensitive:
            return whole
    secret = not JOINED.isdisjoint(each.lower() for each in parts[:-1])
    return facts_of("_".join(parts[-_MOST_DOTTED:])) if secret else facts


def names_measure(key: str) -> bool:
    """Return whether a word of `key` says that its numbers are measured."""
    return not MEASURES.isdisjoint(_tokens(key))


def _tokens(key: str) -> tuple[str, ...]:
    key = key[:MAX_KEY_CHARS]
    # `_TOKEN` does not know all capital letters of other scripts, and `ß` has none.
    if not key.isascii() and key.isupper():
        key = key.casefold()
    return tuple(token.casefold() for token in _TOKEN.findall(key))


def _one(hit: str) -> str:
    # `tokens` are mostly those of a text, which are not credentials.
    return hit if hit == "tokens" else hit.removesuffix("s")


def _singulars(word: str) -> tuple[str, ...]:
    """Return what `word`, which ends in an s, may be the plural of."""
    return (word[:-1], f"{word[:-3]}y") if word.endswith("ies") else (word[:-1],)


def _kinds(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(kind for kind, words in _KINDS.items() if not words.isdisjoint(tokens))


def _is_term(words: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    if len(words) > 1:
        return False
    return any(words[0] in pair and pair in HARMLESS_PHRASES for pair in pairwise(tokens))


def _counts(tokens: tuple[str, ...], hits: tuple[str, ...]) -> bool:
    """Return whether a word beside the sensitive one says that things are counted."""
    if not COUNTERS.isdisjoint(tokens):
        return True
    # `num_tokens` counts, `phone_num` is one; `tokens_used` counts, `otp_used` is one.
    if "num" in tokens[:-1]:
        return True
    return not USED.isdisjoint(tokens) and all(_is_countable(hit) for hit in hits)


def _is_countable(hit: str) -> bool:
    return hit == "token" or _is_never_number(hit) or _is_plural(hit)


def _is_never_number(hit: str) -> bool:
    return hit in NEVER_NUMBERS or hit.removesuffix("s") in NEVER_NUMBERS


def _is_plural(hit: str) -> bool:
    return hit.endswith("s") and hit not in NO_PLURALS


def _max_number(tokens: tuple[str, ...], hits: tuple[str, ...], kinds: frozenset[str]) -> int:
    if "tokens" in tokens and set(hits) <= {"token", "tokens"}:
        return _MAX_COUNT
    if all(_is_never_number(hit) for hit in hits):
        return _MAX_NEVER_NUMBERS
    return MAX_FEW if "gps" not in kinds and tokens[-1] in hits and _is_plural(tokens[-1]) else 0
