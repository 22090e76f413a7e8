"""Key-value pairs inside a text: `secret`.

`key=value` in query strings, log lines, SQL, JSON that does not parse and command lines. The key rules of properties
decide about the key: `password=…` in a text is as sensitive as a property `password`. A value is read only behind a
sensitive key, so that a long list of harmless pairs is read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.prefilter import COLON, EQUALS, FLAG
from otel_posthog.privacy.keys import INNER_NAMES, KeyFacts, dotted_facts
from otel_posthog.privacy.sensitive import is_harmless
from otel_posthog.privacy.words import PROSE, VALUE_KEYS
from otel_posthog.regex import regex

# What joins a key to its value. Keys are read backwards from here, so that words without a value cost nothing.
# Two colons before a letter join names in code (`std::token::parse`), or a column and the type it is cast to.
_JOINS = r"(?:=|:(?!:[A-Za-z_])(?:(?<!::)|(?![A-Za-z_])))(?:[=>](?![=>]))?(?!//)\s{0,3}"
_SIGN = regex(_JOINS)
_FLAG_SIGN = regex(rf"{_JOINS}|(?<=\w) (?=[^\s-])")
_CAST_REVERSED = regex(r"\s{0,3}(?:\)[0-9, ]{1,8}\()?\w{1,32}(?: \w{1,16})?::")
_KEY_REVERSED = regex(
    r"\s{0,3}:?(?:(?P<quote>[\"'])\\*|\](?=[^\[]{1,64}\[\w)|(?P<column>\)[\"'`\]]?|[`\]]))?(?P<key>[\w-]{1,256})"
)
_LOOK_BACK_CHARS = 320
_CAST_CHARS = 64
# The name before a value: in attributes of markup, a map written as a text, YAML.
_NAME_BEFORE = regex(
    r"(?<![\w-])(?:name|key|field|header|param|property)\\?[\"']?\s{0,2}[=:]\s{0,3}\\?[\"']?([\w.-]{1,64})",
    re.IGNORECASE,
)
_NAME_BACK_CHARS = 160
# Every word that might be a key, in the reversed text, where the few signs come first: in almost every text none of
# these words matters.
_KEYS_REVERSED = regex(r"[=:][\"'`)\]\\\s:]{0,24}([0-9A-Za-z_.\x80-\U0010ffff-]+)")
# The words in front of a key that dots join to it: `aws.secret.access.key=…`.
_DOTTED_REVERSED = regex(r"(?:\.[\w-]{1,64}){1,3}")
# `user.id=…`, `session[id]=…`, `process.owner=…`: whose it is, or of what, is said in front.
_INNER_ID = regex(r"[.\[](?:(?:previous_)?id|owner)[\]\\\"']{0,4}\s{0,3}[=:]", re.IGNORECASE)
_OUTER_REVERSED = regex(r"[.\[]([\w.-]{1,64})")
_IDS = regex(r"(?!\[[a-z_]{2,16}\])[\[({][^\[\](){}\r\n]{1,512}[\])}]")
# Of a call's arguments, not of a log line: `user_id=self.user_id`.
_SHORT_CHARS = 3
# `A+`, `x!`: no word, and no placeholder.
_SHORT = regex(r"[^\W_][+!@#$%^*?~-]|[+!^~-][^\W_]")
_ANSWERS = frozenset(("true", "false", "yes", "no", "y", "n", "0", "1"))
_DIGIT = regex(r"\d")
_VARIABLE = regex(r"(?:[A-Za-z_.]{0,60}(?:[._]|(?<=[a-z])(?=[IU])))?(?:[iI]d|ID|[uU]u?id|UU?ID)s?(?=[^\w.]|\Z)")
_MAX_KEY_CHARS = 256
_MAX_HARMLESS = 4096

# An unquoted value ends at a space, and where a list or a query goes on; elsewhere a password may hold `,` and `&`.
_STOP = (
    r"[,;](?=\s|\Z|[\w.-]{1,64}\\?[\"']?[=:])"
    r"|&(?=[\w.%-]{0,64}(?:[\[\]=&]|\Z))"
    r"|[)\]}](?=[,;.]?(?:\s|\Z))"
    r"|#(?=\w{0,64}\Z)"
)
# What may be in front of a quote and is no part of the value: `b"…"`, `N'…'`, `_utf8'…'`, `md5('…')`.
OPENING = (
    r"(?:[bruenxq]{1,2}|_[a-z0-9]{2,16}|(?:password|md5|sha\d{0,3}|crypt|encrypt|aes_encrypt|hashbytes|encode|decode"
    r"|cast|convert|concat|lower|upper|trim|hex|unhex|binary|quote|str|bytes)\(\s{0,2})"
)
_OPENED = regex(rf"(?:(?:bearer|basic|digest|token)(?:[ +]|%20))?(?:(\\*){OPENING}?([\"']))?", re.IGNORECASE)
_QUOTED = {
    '"': regex(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL),
    "'": regex(r"[^'\\]*(?:(?:\\.|'')[^'\\]*)*", re.DOTALL),
}
_BARE = regex(rf"[^\s\"'](?:(?!{_STOP})[^\s\"'])*")
_CALL = regex(rf"{OPENING}[\"']", re.IGNORECASE)
# What a column is set to or compared with: [password] and `password` are columns in SQL only.
_LITERAL = regex(rf"(?:{OPENING}|(?:ANY|ALL|SOME)\s?\(\s{{0,2}}(?:ARRAY\[)?)?[\"']|[0-9]", re.IGNORECASE)
# A list, a map or a call with something quoted in it, or numbers: `['x', 'y']`, `{"value": "x"}`, `SecretStr('x')`.
_BEGUN = r"[bruN]{0,2}\\*[\"']"
_BRACKETED = regex(
    r"(?:[A-Za-z_]\w{0,40}|(?:[A-Za-z_]\w{0,32}\.){1,3}[A-Z][a-z]\w{0,40}(?=\())?"
    rf"(?:[\[({{]\s{{0,3}}(?:\w{{0,40}}[\[({{]\s{{0,3}}){{0,3}}{_BEGUN}|[\[{{][\s\[{{]{{0,4}}-?[0-9]"
    rf"|[\[({{]\s{{0,3}}[\w-]{{1,64}}\s{{0,2}}[:=]\s{{0,2}}(?:{_BEGUN}|[0-9\[{{]))"
)
_BRACKET = regex(r"[\[({]|[\])}]|(?<![^\W_]{2})(\\*)([\"'])")
_ITEM = regex(r"[\"']([^\"'\\]*)\\*[\"'](?!\s{0,3}:)|([0-9])")
_NUMBERS = regex(r"[\[{][-0-9.,\s\[\]{}]*")
_NUMBER = regex(r"-?[0-9]{1,18}(?:\.[0-9]{0,18})?")
_MAX_EMPTY_CHARS = 256
# A connection string of ODBC puts a value with signs into braces.
_BRACED = regex(r"\{((?:[^{}\r\n;\"']|\}\}){1,128})\};")
# Inside a JSON string the quotes are escaped, and so is the one that ends the value.
_QUOTES = {quote: regex(rf"(?<!\\)\\*{quote}") for quote in "\"'"}
# Placeholders, and words for no value.
_EMPTY = regex(
    r"\?|\$\d{1,3}|%s|[:@$][a-z_]{1,32}|%\([a-z_]{1,32}\)s|[*x.•]{1,64}|<[a-z _-]{0,32}>|\$?\{\{?[a-z _.-]{0,32}\}?\}"
    r"|(?:(?:bearer|basic|token)\s)?(?:\$\{?[A-Z_]{1,64}\}?|<[a-z_-]{1,32}>)"
    r"|await|new|async|function|(?:[a-z_]\w{0,32}\.){1,4}\w{1,32}[(\[]|\$\(\w{0,32}|\$\{\{|\{\w{0,32}:?"
    r"|\[?(?:redacted|masked|hidden|filtered|removed)\]?|true|false|null|none|nil|undefined|.{0,2}",
    re.IGNORECASE | re.DOTALL,
)
_MARKER = regex(rf"\[(?:redacted|session|{'|'.join(sorted(DETECTORS))}|[a-z]{{2,6}})\](?![^\s\"'&,;)\]}}#\\])")
# Short words that mean a credential in a query string only, and only before something opaque.
_QUERY_KEY = regex(
    r"(?:.*[_-])?(?:code|sid|nonce|ticket|state|hmac|pass|verifier|assertion)|.*key|saml(?:request|response)"
    r"|.*access_?(?:key_?)?id"
)
# The list of the semantic conventions, and its relatives: whatever they hold signs a request.
_SIGNATURE_KEY = regex(r"(?:.*[_-])?sig(?:nature)?|awsaccesskeyid|x-(?:amz|goog)-(?:credential|security-token)")
_COOKIE_KEY = regex(r"(?:set-)?cookies?")
_LINE = regex(r"[^\r\n\"]+")
# A scheme of any name, and its one value or its list of parameters (RFC 9110, 11.4); prose has no such second word.
_AUTHORIZATION_KEY = regex(r"(?:proxy-|x-)?authorization")
_AUTHORIZATION_VALUE = regex(
    r"[A-Za-z][\w-]{1,31} {1,3}(?:"
    r"[\w-]{1,64}=(?:\\?\"[^\"\r\n]*\"?|[^\s,\"]+)(?:,\s{0,3}[\w-]{1,64}=(?:\\?\"[^\"\r\n]*\"?|[^\s,\"]+))*"
    r"|(?=[^\s\"']{0,64}[0-9])[^\s\"']{8,})"
)
_SESSION_KEY = regex(r"(?:.*[_-])?(?:session_?-?(?:id)?|sid|sess|phpsessid|jsessionid)")
_QUERY_STARTS = frozenset(("?", "&", "#", ";", ""))
# With `=` at its end only: a long list of pairs is then read once.
_WORD = regex(r"[\w~+/.%:-]+={0,2}(?=[\s&;,\"'#)\]}<]|\Z)")
_OPAQUE = regex(r"(?=[^\d]{0,256}\d).{16,}|[\w-]{32,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PairKey:
    """What a key says of the value next to it.

    Attributes:
        facts: As of a property of that name.
        sensitive: Its value is sensitive.
        query: An opaque value is sensitive in a query string.
        session: An opaque value is sensitive behind `=`.
        signature: Any value is sensitive in a query string.
        header: Behind a colon, the value is the rest of the line.
        named: The name of the value is in another pair (`name="password" value="x"`).
    """

    facts: KeyFacts
    sensitive: bool
    query: bool
    session: bool
    signature: bool
    header: bool
    named: bool

    @property
    def may_hide(self) -> bool:
        """Whether the value may be sensitive at all."""
        return self.sensitive or self.query or self.session or self.signature or self.named


def pair_key_reader(facts_of: Callable[[str], KeyFacts]) -> Callable[[str], PairKey]:
    """Return the function that reads the keys of pairs in a text, and remembers what it has read.

    Args:
        facts_of: The key rules, as they are applied to properties.
    """

    @lru_cache(maxsize=2048)
    def read_key(name: str) -> PairKey:
        facts = dotted_facts(name, facts_of)
        word = name.rpartition(".")[2].strip("-").lower()
        return PairKey(
            facts,
            sensitive=facts.sensitive and not facts.lenient and not facts.reference,
            query=bool(_QUERY_KEY.fullmatch(word)),
            session=bool(_SESSION_KEY.fullmatch(word)),
            signature=bool(_SIGNATURE_KEY.fullmatch(word)),
            header=facts.sensitive and bool(_COOKIE_KEY.fullmatch(word)),
            named=word in VALUE_KEYS,
        )

    return read_key


def key_value_pairs(read_key: Callable[[str], PairKey]) -> Detector:
    """Return the detector of sensitive pairs.

    Args:
        read_key: Reads their keys.
    """
    # Reversed names. Most texts bring the same few; a stream of ever new ones is not kept.
    harmless: set[str] = set()

    def hides(names: list[str]) -> bool:
        if harmless.issuperset(names):
            return False
        if any(read_key(name[_MAX_KEY_CHARS - 1 :: -1]).may_hide for name in names):
            return True
        if len(harmless) > _MAX_HARMLESS:
            harmless.clear()
        harmless.update(name for name in names if len(name) <= _MAX_KEY_CHARS)
        return False

    def find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
        may_hide = "--" in text or hides(_KEYS_REVERSED.findall(text[::-1]))
        if not may_hide and not _has_inner_id(text):
            return []
        pattern = _FLAG_SIGN if "--" in text else _SIGN
        spans: list[Span] = []
        at = 0
        while sign := pattern.search(text, at):
            span = _sensitive_span(text, sign, read_key, dotted=may_hide)
            if span:
                spans.append(span)
            at = span[1] if span else sign.end()
        return spans

    return Detector("secret", find, needs_one=COLON | EQUALS | FLAG, gives_way=False)


def _has_inner_id(text: str) -> bool:
    # Spelled out: `any` over them takes longer than the search it saves.
    may = ".id" in text or "[id" in text or ".previous_id" in text or ".ID" in text or ".Id" in text or ".owner" in text
    return may and _INNER_ID.search(text) is not None


def is_worth_hiding(text: str, span: Span, facts: KeyFacts) -> bool:
    """Return whether there is a value at `span`, and no placeholder, marker or count."""
    value = text[slice(*span)]
    return not (_is_empty(text, span, facts) or _MARKER.match(value) or is_harmless(facts, value))


def _sensitive_span(text: str, sign: re.Match[str], read_key: Callable[[str], PairKey], *, dotted: bool) -> Span | None:
    before = text[max(0, sign.start() - _LOOK_BACK_CHARS) : sign.start()][::-1]
    found = _KEY_REVERSED.match(before)
    if "::" in before[:_CAST_CHARS] and (cast := _CAST_REVERSED.match(before)):
        column = _KEY_REVERSED.match(before, cast.end())
        found = column if column and read_key(column["key"][::-1]).sensitive else found
    if found is None:
        return None
    name, begin = found["key"][::-1], found.end()
    if dotted and before[begin : begin + 1] == "." and (front := _DOTTED_REVERSED.match(before, begin)):
        name, begin = f"{front.group()[::-1]}{name}", front.end()
    if found["key"][::-1].lower() in INNER_NAMES and (outer := _OUTER_REVERSED.match(before, found.end())):
        name = f"{outer[1][::-1]}.{found['key'][::-1]}"
    key = read_key(name)
    joined = sign.group().strip()
    is_flag = before[begin - 2 : begin] == "--"
    is_column = joined in {"=", "=="} and _LITERAL.match(text, sign.end()) is not None
    if not key.may_hide or not (joined or is_flag) or (found["column"] and not is_column):
        return None
    in_prose = joined == ":" and not found["quote"]
    whole = _header_value(text, sign.end(), key, found["key"][::-1].lower()) if in_prose else None
    if whole or (key.header and in_prose):
        return whole
    in_query = before[begin : begin + 1] in _QUERY_STARTS
    # `address: …` in a sentence may be anything; `password: …` may not.
    if key.sensitive and (key.facts.credential or key.facts.identifier or key.facts.strict or not in_prose):
        return _sensitive_value(text, sign.end(), key.facts, in_prose=in_prose)
    if key.named:
        return _named_value(text, sign, read_key)
    return _opaque_value(text, sign.end(), key, in_query=in_query) if joined == "=" else None


def _header_value(text: str, at: int, key: PairKey, name: str) -> Span | None:
    """Return the rest of the line of a cookie header, or the scheme and value of an authorization."""
    if key.header:
        line = _LINE.match(text, at)
        return line.span() if line and not _MARKER.fullmatch(line.group().strip()) else None
    value = _AUTHORIZATION_VALUE.match(text, at) if _AUTHORIZATION_KEY.fullmatch(name) else None
    return value.span() if value and "[" not in value.group() else None


def _sensitive_value(text: str, at: int, facts: KeyFacts, *, in_prose: bool) -> Span | None:
    braced = _BRACED.match(text, at) if text[at - 1] == "=" and not facts.identifier else None
    if braced:
        return None if _MARKER.match(text, braced.start(1)) else braced.span(1)
    if not facts.identifier and _BRACKETED.match(text, at) and not _CALL.match(text, at):
        return _bracketed(text, at, facts)
    listed = _IDS.match(text, at) if facts.identifier else None
    span = listed.span() if listed else value_at(text, at)
    if span is None or _is_empty(text, span, facts):
        return None
    value = text[span[0] : span[1]]
    if facts.identifier and (_VARIABLE.match(value) or (in_prose and not _DIGIT.search(value))):
        return None
    return None if is_harmless(facts, value) or (in_prose and _is_prose(value)) else span


def _is_empty(text: str, span: Span, facts: KeyFacts) -> bool:
    """Return whether there is no value at `span`; of an id one character is a value, under a strict key a yes or no."""
    if facts.strict and text[slice(*span)].lower() in _ANSWERS:
        return False
    if span[1] - span[0] < _SHORT_CHARS:
        value = text[slice(*span)]
        if (facts.identifier or facts.strict) and value.isalnum():
            return False
        if (facts.credential or facts.strict) and _SHORT.fullmatch(value):
            return False
    return _EMPTY.fullmatch(text, *span) is not None


def _bracketed(text: str, at: int, facts: KeyFacts) -> Span | None:
    """Return the list, map or call that begins at `at`, up to its closing bracket; None if it is empty."""
    numbers = _NUMBERS.match(text, at)
    end = _closed_at(text, at)
    if numbers and numbers.end() >= end:
        values = [float(each) for each in _NUMBER.findall(text, at, end)]
        return None if is_harmless(facts, values) else (at, end)
    # A long one is not read twice: all of it is taken.
    if end - at < _MAX_EMPTY_CHARS and all(
        not digit and (_EMPTY.fullmatch(item) or _MARKER.fullmatch(item))
        for item, digit in _ITEM.findall(text, at, end)
    ):
        return None
    return at, end


def _closed_at(text: str, at: int) -> int:
    depth = 0
    while token := _BRACKET.search(text, at):
        escapes, quote = token.groups()
        at = token.end()
        if escapes:
            at = _escaped_end(text, at, quote, len(escapes))
            at += len(escapes) + 1
        elif quote:
            value = _QUOTED[quote].match(text, at)
            at = value.end() + 1 if value else at
        else:
            depth += 1 if token.group() in "[({" else -1
            if not depth:
                return at
    return len(text)


def _named_value(text: str, sign: re.Match[str], read_key: Callable[[str], PairKey]) -> Span | None:
    """Return the value behind `sign` if a sensitive name is in front of its key."""
    *_, name = ("", *_NAME_BEFORE.findall(text, max(0, sign.start() - _NAME_BACK_CHARS), sign.start()))
    key = read_key(name)
    return _sensitive_value(text, sign.end(), key.facts, in_prose=False) if key.sensitive else None


def _opaque_value(text: str, at: int, key: PairKey, *, in_query: bool) -> Span | None:
    word = _WORD.match(text, at)
    if word is None:
        return None
    if (key.signature and in_query) or ((key.session or (key.query and in_query)) and _OPAQUE.fullmatch(word.group())):
        return word.span()
    return None


def _is_prose(value: str) -> bool:
    return value.lower().strip(".,;!)") in PROSE


def value_at(text: str, at: int) -> Span | None:
    """Return where the value at `at` begins and ends, without its quotes."""
    opened = _OPENED.match(text, at)
    if opened is None:
        return None
    escapes, quote = opened.groups()
    start = opened.end()
    # Asked before the value is read: it may be long, and would be read again from the next sign.
    if _MARKER.match(text, start):
        return None
    if escapes:
        return start, _escaped_end(text, start, quote, len(escapes))
    if quote and text.startswith(quote * 2, start):
        # A text of several lines begins and ends with three.
        end = text.find(quote * 3, start + 2)
        return None if _MARKER.match(text, start + 2) else (start + 2, end if end >= 0 else len(text))
    value = (_QUOTED[quote] if quote else _BARE).match(text, start)
    return ((start if quote else at), value.end()) if value else None


def _escaped_end(text: str, start: int, quote: str, escapes: int) -> int:
    """Return where the value ends that was opened by `escapes` backslashes and a quote; else the end of the text.

    A quote behind more backslashes is part of the value: they double each time a text is put into a string.
    """
    for closing in _QUOTES[quote].finditer(text, start):
        if closing.end() - closing.start() - 1 <= escapes:
            return closing.start()
    return len(text)
