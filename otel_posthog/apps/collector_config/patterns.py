"""The detectors as regular expressions of RE2, which has no look-around, no back-references and no checksums.

Each finds what the detector of that name finds in plain text, and more: where a checksum or the words around a number
decide here, every number of that shape is taken there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from otel_posthog.apps.collector_config.keys import spelt
from otel_posthog.privacy.detectors.national_id import LABELS, LABELS_IN_WORDS
from otel_posthog.privacy.detectors.national_rules import ALPHANUMERIC, BY_GROUPS
from otel_posthog.privacy.detectors.phone import LABELS as PHONE_LABELS
from otel_posthog.privacy.detectors.vendor_keys import (
    CHARACTERS,
    FOR_A_PURPOSE,
    LONG_WITHOUT_BEGINNING,
    WITHOUT_BEGINNING,
    beginnings,
)
from otel_posthog.privacy.words import IBAN_LENGTHS

# What may stand in front of a value: the edge of a word, `_`, or the end of an encoded character.
_EDGE = r"(?:\b|_|%[0-9A-Fa-f]{2}|\\u00[0-9a-f]{2}|\\[nrt])"
_SPACE = r"[ \x{a0}\x{2000}-\x{200b}\x{202f}\x{2060}\x{feff}]|%20|%C2%A0|&nbsp;|&#160;|\\u00a0"


_LOOK_AROUND = re.compile(r"\(\?<?[=!]")


def _re2(pattern: str) -> str:
    """Return `pattern` without what RE2 does not know (a look at what is around): it matches the same and more."""
    while (found := _LOOK_AROUND.search(pattern)) is not None:
        pattern = pattern[: found.start()] + pattern[_closing(pattern, found.end()) + 1 :]
    return pattern.replace(r"\Z", r"\z")


def _closing(pattern: str, at: int) -> int:
    """Return where the bracket closes inside which `at` is."""
    depth, in_class = 1, False
    while True:
        char = pattern[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char in "()":
            depth += 1 if char == "(" else -1
            if not depth:
                return at
        at += 1


def _grouped() -> Iterator[str]:
    """Yield the patterns of numbers in the groups of a country."""
    for form in sorted(BY_GROUPS, key=lambda form: (-len(form), form)):
        yield re.sub(r"[0-9]+|[^0-9]", lambda part: _group(part.group()), form)


def _group(part: str) -> str:
    if part.isdecimal():
        return f"[0-9]{{{part}}}"
    return f"(?:{_SPACE})" if part == " " else re.escape(part)


_GAP = rf"(?:{_SPACE}|[+\n\t_,:|.-]|\\[nt])"
_PHONE_GAP = rf"(?:{_SPACE}|[ .()/+-]){{0,3}}"
_AT = r"[\x{200b}-\x{200d}\x{2060}\x{feff}]?(?:[@\x{ff20}]|%40|%2540|&#64;|&#x40;|&commat;|\\{1,4}u0040)"
_OCTET = r"(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2}))"
# Of the first number those that are neither private nor reserved, and of 100, 169, 172 and 192 the second.
_PUBLIC_FIRST = (
    r"(?:[1-9]|1[1-9]|[2-9][0-9]|10[1-9]|11[0-9]|12[0-689]|1[3-5][0-9]|16[0-8]|17[013-9]|18[0-9]|19[013-9]"
    r"|20[0-9]|21[0-9]|22[0-3])"
)
_PUBLIC_PAIRS = (
    r"100\.(?:[0-9]|[1-5][0-9]|6[0-3]|12[89]|1[3-9][0-9]|2[0-4][0-9]|25[0-5])",
    r"169\.(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-35])",
    r"172\.(?:[0-9]|1[0-5]|3[2-9]|[4-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])",
    r"192\.(?:[0-9]|[1-9][0-9]|1[0-57-9][0-9]|16[0-79]|2[0-4][0-9]|25[0-5])",
)
_NAME = r"[^\s/\\\"'<>|:;,?*&()\[\]{}=]{1,64}"
# With more branches Go has no room for its faster way of matching.
_MOST_BRANCHES = 60


def _parts(alternatives: str, count: int) -> list[str]:
    """Return `count` expressions that match together what the one does; beginnings that are equal stand together."""
    depth, each, split = 0, "", []
    for char in alternatives + "|":
        depth += (char == "(") - (char == ")")
        if char == "|" and not depth:
            split.append(each)
            each = ""
        else:
            each += char
    split.sort()
    size = -(-len(split) // count)
    return ["|".join(split[at : at + size]) for at in range(0, len(split), size)]


_ID_NAMES = (rf"\b(?:{LABELS.replace(' ', '|')})\b", *(rf"(?i:{part})" for part in _parts(LABELS_IN_WORDS, 3)))
_BEFORE_NUMBER = r"\W{0,4}(?:[a-z]{1,9}\W{1,4})?(?i:(?:is|are|no|nr|num|number|code|card)\W{1,4})?"
_COUNTRIES = "|".join(sorted(IBAN_LENGTHS))
# Days raised by 60, months raised by 20, 40 or 50 where a country says more with them.
_DAY = r"(?:0[1-9]|[12][0-9]|3[01]|6[1-9]|[78][0-9]|9[01])"
_MONTH = r"(?:[0245][1-9]|[135][0-2]|6[0-2])"
_PLAIN_MONTH, _PLAIN_DAY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
# No moments: seconds and milliseconds since 1970 begin with 15 to 19.
_NO_MOMENT = r"(?:0[0-9]|1[0-4]|[2-9][0-9])"
_DECIMALS, _BETWEEN_DEGREES = r"\.[0-9]{4,}", r"°?[NSEW]?[ ]{0,2}[,;/ ][ ]{0,2}[+-]?"
_CARD_BEGINNINGS = (
    r"(?:4[0-9]{3}|3[0-9]{3}|5[0-9]{3}|6[0-9]{3}|81[0-9]{2}|22[0-9]{2}|2[3-7][0-9]{2}|9792|1800|2131|1354)"
)

PATTERNS: dict[str, tuple[str, ...]] = {
    "email": (
        (
            rf"(?:\"[^\"@\n]{{1,64}}\"|[\pL\pN._%+!#$*^`{{|}}~'-]{{1,64}}){_AT}"
            r"(?:(?:[\pL\pN_-]{1,63}\.){1,10}(?:xn--[a-z0-9-]{2,59}|\pL{2,63})|\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3})"
        ),
    ),
    "phone": (
        rf"(?:\+|%2B|{_EDGE}00)(?:{_SPACE})?\(?[1-9](?:{_PHONE_GAP}[0-9]){{6,14}}",
        rf"(?:\([0-9]{{1,5}}\)|{_EDGE}[0-9]{{3}})[ .-]{{0,2}}[0-9]{{3}}[ .-][0-9]{{3,5}}\b",
        r"\(0?-?[0-9]{1,5}\)[ -]{0,2}[0-9]{2,8}(?:[ -][0-9]{2,5}){0,3}",
        rf"{_EDGE}0[0-9]{{1,5}} ?[ /-] ?[0-9]{{2,9}}(?:[ -][0-9]{{2,5}}){{0,4}}\b",
        rf"{_EDGE}0[0-9](?:[ .-][0-9]{{2}}){{4}}\b",
        rf"{_EDGE}(?:8[ -])?(?:\([0-9]{{3,5}}\)|[0-9]{{3,5}})[ -][0-9]{{2,3}}-[0-9]{{2}}-[0-9]{{2}}\b",
        (
            rf"{_EDGE}(?:[2-9][0-9]{{2}} [0-9]{{3}} [0-9]{{2,4}}(?: [0-9]{{2}})?|[67][0-9]{{2}}(?: [0-9]{{2}}){{3}}"
            r"|[89][0-9]{2}(?: [0-9]{2}){3}|1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}|[6-9][0-9]{4} [0-9]{5}"
            r"|[0-9]{2}[ -][0-9]{4}-[0-9]{4}|[3-9][0-9]{2}\.[0-9]{3}\.[0-9]{2}\.[0-9]{2}"
            r"|0 ?\([0-9]{3}\)[ -]?[0-9]{3}[ -][0-9]{4})\b"
        ),
        *(
            rf"(?i:(?:^|[^\pL])(?:{part}))[^0-9A-Za-z\n(+]{{0,4}}(?:(?i:number|nummer|num|no|nr|n[úu]mero|is|at|on|to|now)\b"
            r"[^0-9A-Za-z\n(+]{0,4}){0,2}\+?\(?[0-9](?:[ ().-]{0,2}[0-9]|/[0-9]{2}){6,14}"
            for part in _parts(PHONE_LABELS, 3)
        ),
        r"\p{Han}[^0-9A-Za-z\n]{0,4}1[3-9][0-9]{9}\b|\b1[3-9][0-9]{9}[^0-9A-Za-z\n]{0,4}\p{Han}",
    ),
    "card": (
        rf"{_EDGE}{_CARD_BEGINNINGS}(?:{_GAP}[0-9]{{4}}){{2}}{_GAP}[0-9]{{1,7}}(?:{_GAP}[0-9]{{1,3}})?\b",
        rf"{_EDGE}3[0-9]{{3}}{_GAP}[0-9]{{4,6}}{_GAP}[0-9]{{4,5}}\b",
        (
            rf"{_EDGE}(?:4[0-9]{{12}}|4[0-9]{{15}}|4[0-9]{{18}}|3[0-9]{{13,15}}|(?:5[0-9]|6[0-9])[0-9]{{11,17}}"
            r"|(?:2[2-7]|81)[0-9]{14,17}|9792[0-9]{12,15}"
            r"|(?:1800|2131|1354)[0-9]{11})\b"
        ),
        rf"{_EDGE}{_CARD_BEGINNINGS}[0-9]{{0,3}}(?:[ -][0-9]{{3,7}}){{2,4}}\b",
    ),
    "iban": (
        rf"{_EDGE}(?i:{_COUNTRIES})[0-9]{{2}}(?:(?:{_SPACE}|[+-])?[0-9A-Za-z]{{4}}){{2,7}}(?:(?:{_SPACE}|[+-])?[0-9A-Za-z]{{1,3}})?\b",
    ),
    "ssn": (r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", r"\b[0-9]{3} [0-9]{2} [0-9]{4}\b"),
    "national_id": (
        rf"{_EDGE}{_NO_MOMENT}{_MONTH}{_DAY}[0-9]{{4}}\b",
        rf"{_EDGE}[0-9]{{11}}\b",
        rf"{_EDGE}[0-9]{{12}}\b",
        rf"{_EDGE}{_NO_MOMENT}(?:{_PLAIN_MONTH}{_PLAIN_DAY}[0-9]{{7}}|[0-9]{_PLAIN_MONTH}{_PLAIN_DAY}[0-9]{{6}})\b",
        rf"{_EDGE}756[0-9]{{10}}\b",
        rf"{_EDGE}[123478][0-9]{{14}}\b",
        rf"{_EDGE}[0-9]{{6}}(?:18|19|20)[0-9]{{2}}(?:0[1-9]|1[0-2]){_DAY}[0-9]{{3}}[0-9Xx]\b",
        *(rf"{_EDGE}{form}\b" for form in _grouped()),
        rf"{_EDGE}[2-9][0-9]{{3}}{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}\b",
    ),
    "national_id.letters": (*(rf"{_EDGE}(?i:{_re2(pattern)})\b" for _, pattern, _ in ALPHANUMERIC),),
    "national_id.labelled": (
        *(rf"{names}{_BEFORE_NUMBER}[0-9A-Za-z](?:[ ./-]?[0-9A-Za-z]){{4,30}}" for names in _ID_NAMES),
        r"(?i:\b[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]\b)",
    ),
    "ip": (
        rf"{_EDGE}{_PUBLIC_FIRST}{_OCTET}{{3}}\b",
        rf"{_EDGE}(?:{'|'.join(_PUBLIC_PAIRS)}){_OCTET}{{2}}\b",
        r"\b[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}",
    ),
    "mac": (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", r"\b[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\b"),
    "jwt": (r"eyJ[\w-]{5,}(?:\.[\w-]*){0,4}(?:~[\w.-]*)*",),
    "gps": (
        # Two numbers below one are a point in a picture.
        rf"[+-]?[1-9][0-9]{{0,2}}{_DECIMALS}{_BETWEEN_DEGREES}[0-9]{{1,3}}{_DECIMALS}",
        rf"[+-]?[0-9]{{1,3}}{_DECIMALS}{_BETWEEN_DEGREES}[1-9][0-9]{{0,2}}{_DECIMALS}",
        (
            r"(?i:(?:^|[^0-9A-Za-z])(?:lat|lon|lng)[a-z]{0,6}[^0-9A-Za-z\n+-]{1,4})[+-]?[0-9]{1,3}\.[0-9]{4,}[^0-9A-Za-z\n]{1,4}"
            r"(?i:(?:lat|lon|lng)[a-z]{0,6}[^0-9A-Za-z\n+-]{1,4})[+-]?[0-9]{1,3}\.[0-9]{4,}"
        ),
        r"[0-9]{1,2}°[ ]?[0-9]{1,2}['′’][^NS]{0,12}[NS][ ,]{0,3}[0-9]{1,3}°[ ]?[0-9]{1,2}['′’][^EW]{0,12}[EW]",  # noqa: RUF001 - signs of minutes
    ),
    "username": (
        rf"(?:/home|/Users|/export/home|/var/home)/{_NAME}(?:(?: {_NAME}){{1,3}}/)?",
        (
            rf"(?i:(?:[A-Z]:[\\/]{{1,4}}|\\\\?|%5C)(?:Users|Documents and Settings|home)(?:[\\/]{{1,4}}|%5C))"
            rf"{_NAME}(?:(?: {_NAME}){{1,3}})?"
        ),
    ),
    "secret.header": (
        r"(?s:----(?:-| )BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*)",
        (
            r"(?i:\b(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20|\+){1,3})"
            r"(?:[\w.~+/=-]*(?:[0-9]|[a-z][A-Z])[\w.~+/=-]*|[\w.~+/=-]{7,}=|[\w.~+/=-]{40,})"
        ),
    ),
    "secret.url": (
        r"://[^\s/?#\"'<>:@]{0,256}(?::[^\s\"'<>]{0,512})?@",
        r"(?i:\b(?:[\w-]{0,32}[_-])?sig(?:nature)?(?:=|%3D)[\w%.~+/=-]{8,})",
    ),
    "secret.signed": (
        r"(?i:\b(?:awsaccesskeyid|x-(?:amz|goog)-(?:credential|security-token))(?:=|%3D|[\"':\s]{1,4})[\w%.~+/=-]{8,})",
    ),
}
# RE2's limit for one repetition.
_MOST_REPEATED = 1000


def secret_pairs(sensitive_keys: Collection[str]) -> list[str]:
    """Return the patterns of secrets behind their names: `password=…`.

    Args:
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
    """
    words = [spelt(word) for word in sorted(sensitive_keys)]
    chunks = [words[at : at + _MOST_BRANCHES] for at in range(0, len(words), _MOST_BRANCHES)]
    return [rf"(?i:(?:{'|'.join(chunk)}){_JOINED_TO})(?:{_BEHIND_SIGN})" for chunk in chunks]


# A quote that is escaped is inside another text, whose end cannot be told: all that follows goes.
_JOINED_TO = r"(?:_?hash)?(?:\\*[\"'\]`]|%22|&quot;|&#34;){0,2}\s{0,3}(?:=>?|:=?|%3D|%3A|\x{ff1a})\s{0,3}"
_BEHIND_SIGN = (
    r"(?:%22|&quot;|&#34;)[^\s\"'&,;]+|[Nn]'(?:[^'])*(?:'|\z)|"
    r"(?s:\\+[\"'].*)|\"(?s:[^\"\\]|\\.)*(?:\"|\z)|'(?s:[^'\\]|\\.)*(?:'|\z)|[\[{(][^\]})]*|[^\s\"'&,;\[{(]+"
)


def unseen_values() -> list[str]:
    """Return the patterns of what goes whole because it is no text: bytes, numbers of cards, and what has no text.

    Of a list or a map `redaction` sees its JSON, and nothing of one that has none, since there is a NaN in it.
    """
    return [r"^\z", *_BYTES, rf"^(?:{_CARD_NUMBER})\z", rf"(?s)^[\[{{](?:.*[\[,:])?(?:{_CARD_NUMBER})[,\]}}].*"]


_CARD_NUMBER = (
    r"4[0-9]{12}|4[0-9]{15}|4[0-9]{18}|3[0-9]{13,15}|(?:5[0-9]|6[0-9]|2[2-7]|81)[0-9]{14,17}|9792[0-9]{12,15}"
    r"|(?:1800|2131|1354)[0-9]{11}"
)
MARK = "\ue000\n"
"""Stands before every text while others than texts are looked at. What is replaced whole is so line by line."""
REPLACED_WHOLE = r"(?s)^\*{4}\n.*"
"""Matches what a text has become that was replaced whole."""
UNMARKED = r"(?s)^[^\x{e000}].*"
"""Matches what was no text and has become one, since something was found in it."""
MARKED = r"^\x{e000}\n?"
NO_TEXT = r"^(?:-?[0-9][0-9.eE+-]*|true|false)?\z"
"""Matches numbers, yes and no."""
LISTS = r"^[\[{]"
_NUMBER, _KEY_OF_NUMBER = "-?[0-9][0-9.eE+-]*|true|false|null", r'"[A-Za-z_][A-Za-z_.-]{0,40}[0-9]{0,3}":'
NUMBERS_IN_LISTS = rf"^\[(?:[\[\],]|{_NUMBER})*\z"
"""Matches lists, and lists of lists, of nothing but numbers, yes and no."""
NUMBERS = rf"^[\[{{](?:[\[\]{{}},]|{_KEY_OF_NUMBER}|{_NUMBER})*\z"
"""Matches lists and maps of nothing but those."""
NO_PLACE = rf"^(?:\{{(?:[{{}},]|{_KEY_OF_NUMBER}|{_NUMBER})*|\[(?:(?:{_NUMBER})(?:(?:,(?:{_NUMBER})){{2,}})?)?\])\z"
"""Matches of these what has no two numbers by themselves in a list."""
_BASE64 = "[A-Za-z0-9+/]"
ENCODED = rf"(?:{_BASE64}{{4}})*(?:{_BASE64}{{2}}(?:{_BASE64}{{2}}|{_BASE64}=|==))"
"""Matches bytes, which are written in base64."""
NO_BYTES = r"[0-9]+|true|false|NaN|Infinity|[0-9]e\+[0-9]{2,3}"
"""Matches what looks like that and is none."""
UNSEEN = r"^(?:true|false|NaN|Infinity|[0-9]e\+[0-9]{2,3})\z"
"""Matches the same, where numbers of cards are looked for."""
_BYTES = (rf"^[0-9]*[A-Za-z+/]{_BASE64}*={{0,2}}\z", r"^[0-9]+={1,2}\z")


def id_pairs(words: Collection[str]) -> list[str]:
    """Return the patterns of ids inside a text: `user_id=…`, with whatever value.

    Args:
        words: As in `PrivacyPolicy.id_keys`.
    """
    named = "|".join(spelt(word) for word in sorted(words))
    return [rf"(?i:(?:\b|_|posthog)(?:{named})s?{_JOINED_TO})(?:{_BEHIND_SIGN})"] if words else []


def id_routes(words: Collection[str]) -> str:
    """Return the pattern of a route that names a part of its path as personal.

    Args:
        words: As in `PrivacyPolicy.sensitive_keys` and `id_keys`.
    """
    named = "|".join(spelt(word) for word in sorted(words))
    named = rf"[<{{/:](?:[a-z]+[:(])?(?:[a-z0-9]+[_.-])?(?:{named})[^\pL]"
    return rf"(?i)(?:{named}|/(?:users?|sessions?|devices?|visitors?)/[<{{:])"


HARMLESS_VALUES = (
    r"^(?:\x{e000}\n)?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\z",
    (
        r"^(?:\x{e000}\n)?(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{5,18}(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
        r"(?:(?:/| to | - |\.\.)(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"
        r"(?:[T ][0-9:.]{5,18}(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?)?\z"
    ),
    r"^(?:\x{e000}\n)?00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\z",
    r"^(?:\x{e000}\n)?git@[a-z][a-z.-]{1,32}:[\w-]{1,64}/[\w.-]{1,64}\z",
    (
        r"^(?:\x{e000}\n)?Mozilla/5\.0(?: ?\(?[A-Za-z][A-Za-z_]{0,20}[0-9]{0,2}[;),]?"
        r"| ?[A-Za-z]{1,20}/[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}[;)]?"
        r"| ?(?:NT|X|OS|Android|Version) [0-9]{1,2}(?:[._][0-9]{1,2}){0,2}[;)]?"
        r"| ?x(?:86_)?64[;)]?| ?like Gecko\)?)+\z"
    ),
)
"""Match values that are harmless as a whole, in which a long number would be found."""


def vendor_keys() -> Iterator[str]:
    """Yield the patterns of vendors' keys: one for each set of characters behind a beginning, then those without."""
    by_kind: dict[str, list[str]] = {}
    for beginning, least, kind in beginnings():
        repeated = f"{{{min(int(least), _MOST_REPEATED)},}}"
        by_kind.setdefault(CHARACTERS[kind] + repeated, []).append(re.escape(beginning))
    for behind, escaped in by_kind.items():
        yield rf"{_EDGE}(?:{'|'.join(escaped)}){behind}"
    for _, pattern in (*WITHOUT_BEGINNING, *LONG_WITHOUT_BEGINNING):
        yield rf"{_EDGE}(?:{_re2(pattern.pattern)})"
    yield rf"{_EDGE}(?:{_re2(FOR_A_PURPOSE.pattern.replace(_SOMEWHERE_A_DIGIT, _WITH_A_DIGIT))})"


_SOMEWHERE_A_DIGIT = r"(?=[0-9A-Za-z_=.-]{0,64}[0-9])[0-9A-Za-z_=.-]{16,}"
_WITH_A_DIGIT = r"(?:[A-Za-z_=.-]{0,7}[0-9][0-9A-Za-z_=.-]{8,}|[A-Za-z_=.-]{8,64}[0-9][0-9A-Za-z_=.-]*)"
