"""Which patterns a value is searched with: those that something in it makes possible, stage by stage.

A Collector's regular expressions take 100 to 400 nanoseconds for each character where they have many branches, and
there are 150 of them. So they stand in stages, each a processor `redaction` of its own, and each with gates:
expressions of single characters, which take a tenth of that, for values in which no pattern of the stage finds anything
that the filters here would find (`privacy/detectors/prefilter.py` has the same features). The order of stages is the
order of patterns: what is widest first, so that nothing is cut by what is inside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from otel_posthog.apps.collector_config.patterns import (
    NO_PLACE,
    NUMBERS,
    NUMBERS_IN_LISTS,
    PATTERNS,
    id_pairs,
    secret_pairs,
    vendor_keys,
)


class Stage(NamedTuple):
    """Patterns that are tried together.

    Attributes:
        name: Of the processor, behind `redaction/operational_`.
        gates: Match values that are not searched.
        patterns: What is replaced.
    """

    name: str
    gates: tuple[str, ...]
    patterns: list[str]


def _fewer_than(count: int, chars: str) -> str:
    """Return the gate of texts with fewer than `count` of `chars`, a set as in brackets."""
    more = rf"(?:[{chars}][^{chars}]*){{0,{count - 1}}}" if count > 1 else ""
    return rf"^[^{chars}]*{more}\z"


def _no_long_word_with_a_digit(chars: int) -> str:
    """Return the gate of texts whose words of `chars` characters and more, as codes are written, have no digit."""
    letter, any_of_them = "[A-Za-z.+-]", "[0-9A-Za-z.+-]"
    word = f"{letter}*"
    # Spelled out, so that with each character it is known where in the expression it is: that is fast.
    for left in range(chars - 1):
        word = f"(?:{letter}{word}|[0-9]{any_of_them}{{0,{left}}})?"
    return rf"^{word}(?:[^0-9A-Za-z.+-]{word})*\z"


_DIGITS = "0-9"
# Seven digits with no letter between them. What is encoded may have letters in it, and places the names of directions.
_BETWEEN, _WORD = r"[^0-9A-DF-MO-RT-VX-Za-z%&\\]*", "[A-DF-MO-RT-VX-Za-z]"
_FEW_DIGITS = rf"{_BETWEEN}(?:[0-9]{_BETWEEN}){{0,6}}"
_NO_LONG_NUMBER = rf"^{_FEW_DIGITS}(?:{_WORD}{_FEW_DIGITS})*\z"
_NO_ACCOUNT = r"^[^A-Za-z]*(?:[A-Za-z](?:[0-9](?:[^0-9A-Za-z][^A-Za-z]*)?|[^0-9A-Za-z][^A-Za-z]*)?)*\z"
_NO_DECIMALS = r"^[^.°]*(?:\.[0-9]{0,3}(?:[^0-9.°][^.°]*)?)*\z"
# What is encoded may be a space as well.
_NO_GAP = r"^(?:\x{e000}\n)?[^\s:%&\\\x{80}-\x{10ffff}]*\z"
# Keys of vendors have fourteen characters of a word in a row, as the filters here want them.
_NO_LONG_WORD = r"^[0-9A-Za-z_-]{0,13}(?:[^0-9A-Za-z_-][0-9A-Za-z_-]{0,13})*\z"
_STAGES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("headers", (r"^(?:\x{e000}\n)?[^\s%+]*\z",), ("secret.header",)),
    ("tokens", (_NO_LONG_WORD,), ("secret.signed", "secret.vendor", "jwt")),
    ("addresses", (_fewer_than(1, r"@%&\\=\x{ff20}"),), ("secret.url", "email")),
    ("network", (_fewer_than(2, ":.-"),), ("mac", "ip")),
    ("accounts", (_fewer_than(4, _DIGITS), _NO_ACCOUNT), ("iban",)),
    ("numbers", (_fewer_than(7, _DIGITS), _NO_LONG_NUMBER), ("card", "ssn", "national_id")),
    ("codes", (_fewer_than(4, _DIGITS), _no_long_word_with_a_digit(8)), ("national_id.letters",)),
    ("labelled", (_fewer_than(5, _DIGITS), _NO_GAP), ("national_id.labelled",)),
    ("phones", (_fewer_than(7, _DIGITS), _NO_LONG_NUMBER), ("phone",)),
    ("places", (_fewer_than(4, _DIGITS), _NO_DECIMALS), ("gps",)),
    ("paths", (_fewer_than(1, r"/\\%"),), ("username",)),
    ("pairs", (_fewer_than(1, r"=:%\x{ff1a}"),), ("secret.pairs",)),
)


def stages(detectors: Collection[str], sensitive_keys: Collection[str], ids: Collection[str] = ()) -> Iterator[Stage]:
    """Yield all stages in their order, also those without a pattern: pipelines name them.

    Args:
        detectors: The names of those that are on.
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
        ids: Words that name ids.
    """
    made = {
        **PATTERNS,
        "secret.vendor": tuple(vendor_keys()),
        "secret.pairs": (*secret_pairs(sensitive_keys), *id_pairs(ids)),
    }
    for name, gates, parts in _STAGES:
        on = [part for part in parts if part.partition(".")[0] in detectors]
        numbers = _NUMBERS.get(name, NUMBERS)
        yield Stage(name, (numbers, *gates), [pattern for part in on for pattern in made[part]])


# Keys in a map name what is beside them, and two numbers in a list may be a place.
_NUMBERS = {"pairs": NUMBERS_IN_LISTS, "places": NO_PLACE}
STAGE_NAMES = tuple(name for name, _, _ in _STAGES)
