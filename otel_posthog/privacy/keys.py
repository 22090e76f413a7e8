"""What a key tells of its value: sensitive as a whole token, a number of things, a version.

`auth` is sensitive in `auth_header` and in `authHeader`, not in `author`. Words next to each other count as one
(`api_key`, `apiKey`, `apikey`). A key is read once; filters keep what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from otel_posthog.model import REDACTED
from otel_posthog.privacy.words import (
    COUNTERS,
    CREDENTIALS,
    DESCRIPTORS,
    FLAGS,
    HARMLESS_KEYS,
    HARMLESS_PHRASES,
    KINDS,
    NEVER_NUMBERS,
    PAGES,
    REFERENCES,
    SHARED_ACCOUNTS,
    VERSIONS,
)

# Latin letters with their accents are letters of one word; other scripts are words of their own.
_LATIN = "a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_TOKEN = re.compile(rf"[A-Z]+(?![{_LATIN}])|[A-Z]?[{_LATIN}]+|\d+|[^\W\d_A-Z{_LATIN}]+")

MAX_KEY_CHARS = 256  # longer ones are read so far; none of ours or of the conventions comes near

_MAX_COUNT = 10**12
_MAX_PLURAL = 10**7
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_ ./+-]{0,39}|\d{1,3}(?:\.\d{1,3}){0,3}")
_LONG_DIGITS = re.compile(r"\d{4}")
# What is left after redaction, and what the semantic conventions say for a value that is none of theirs.
_NOTHING = frozenset((REDACTED, "_OTHER"))
_NO_KINDS: frozenset[str] = frozenset()
_KIND_WORDS = _NO_KINDS.union(*KINDS.values())
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key tells.

    Attributes:
        sensitive: The policy names a word in it.
        credential: That word means a secret, not a person.
        lenient: It tells of a kind or a state (`auth_method`, `has_password`).
        reference: It ends in a word for where something is or what it is called, after the sensitive word.
        max_number: A number of at most this size counts things (`token_count`); 0 for no number.
        version: A number with dots under it is a version.
        kinds: The detectors whose values it speaks of; they take less for a hit there than in any text.
        page: Its value is the address of a page.
    """

    sensitive: bool = False
    credential: bool = False
    lenient: bool = False
    reference: bool = False
    max_number: int = 0
    version: bool = False
    kinds: frozenset[str] = frozenset()
    page: bool = False


NO_FACTS = KeyFacts()


class KeyRules:
    """The policy's sensitive words, ready to be looked up.

    Args:
        words: Single words, and several in a row separated by spaces.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._phrases = frozenset(tuple(word.lower().split()) for word in words)
        # `apikey` and `api_key` are one word to those who write them.
        self._joined = frozenset("".join(phrase) for phrase in self._phrases)
        self._longest = max((len(phrase) for phrase in self._phrases), default=1)
        # Almost no word of a key begins one of them.
        self._beginnings = frozenset(word[:end] for word in self._joined for end in range(1, len(word) + 1))

    def facts(self, key: str) -> KeyFacts:
        """Return what `key` tells."""
        tokens = _tokens(key)
        version = not VERSIONS.isdisjoint(tokens) or ("user" in tokens and ("user", "agent") in pairwise(tokens))
        kinds = _NO_KINDS if _KIND_WORDS.isdisjoint(tokens) else _kinds(tokens)
        page = not PAGES.isdisjoint(tokens)
        hits = () if key in HARMLESS_KEYS else self._hits(tokens)
        if not hits and not (version or kinds or page):
            return NO_FACTS
        if not hits:
            return KeyFacts(version=version, kinds=kinds, page=page)
        return KeyFacts(
            sensitive=True,
            credential=any(not CREDENTIALS.isdisjoint((hit, *hit.split(" "))) for hit in hits),
            lenient=tokens[-1] in DESCRIPTORS or tokens[0] in FLAGS,
            reference=tokens[-1] in REFERENCES and not any(hit.split(" ")[-1] == tokens[-1] for hit in hits),
            max_number=_max_number(tokens, hits),
            version=version,
            kinds=kinds,
            page=page,
        )

    def _hits(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        hits: list[str] = []
        for start, token in enumerate(tokens):
            end, joined = start + 1, token
            while True:
                if joined in self._joined or joined.removesuffix("s") in self._joined:
                    words = tokens[start:end]
                    hits += () if _is_term(words, tokens) else (" ".join(words),)
                if end == len(tokens) or end - start == self._longest or joined not in self._beginnings:
                    break
                joined += tokens[end]
                end += 1
        return tuple(hits)


def is_harmless(facts: KeyFacts, value: object) -> bool:
    """Return whether `value` gives nothing away even under a sensitive key."""
    if isinstance(value, str):
        return not value or value in _NOTHING or _is_harmless_text(facts, value)
    if isinstance(value, (int, float)):
        coarse = "gps" in facts.kinds and round(value, 2) == value
        return isinstance(value, bool) or coarse or (facts.max_number > 0 and abs(value) <= facts.max_number)
    if isinstance(value, Mapping):
        return not value
    if isinstance(value, (list, tuple)):
        counts = facts.lenient or facts.max_number > 0
        return not value or (counts and all(is_harmless(facts, each) for each in value))
    return value is None


def _is_harmless_text(facts: KeyFacts, text: str) -> bool:
    if not facts.credential and text in SHARED_ACCOUNTS:
        return True
    if facts.reference and text.startswith("arn:"):
        return True
    if facts.max_number and _NUMBER.fullmatch(text):
        return abs(float(text)) <= facts.max_number
    return facts.lenient and _WORD.fullmatch(text) is not None and _LONG_DIGITS.search(text) is None


def _tokens(key: str) -> tuple[str, ...]:
    return tuple(token.lower() for token in _TOKEN.findall(key[:MAX_KEY_CHARS]))


def _kinds(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(kind for kind, words in KINDS.items() if not words.isdisjoint(tokens))


def _is_term(words: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    if len(words) > 1:
        return False
    return any(words[0] in pair and pair in HARMLESS_PHRASES for pair in pairwise(tokens))


def _max_number(tokens: tuple[str, ...], hits: tuple[str, ...]) -> int:
    if not COUNTERS.isdisjoint(tokens):
        return _MAX_COUNT
    if "tokens" in tokens and set(hits) <= {"token", "tokens"}:
        return _MAX_COUNT
    plural = tokens[-1].endswith("s") and tokens[-1] not in {"address", "pass"} and tokens[-1] in hits
    return _MAX_PLURAL if plural or NEVER_NUMBERS.issuperset(hits) else 0
