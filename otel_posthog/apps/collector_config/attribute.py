"""Conditions on one attribute, by whichever of its names it stands there, in OTTL; each holds wherever the rule's does.

A name tells the attribute's value as it is, or some other value: a word that has another name now, the path of what
holds a query too. What is not known here how to write (`Told.LEFT`, an odd URL) may be anything: then the condition
holds, and the gateway decides. So a value is never said to be like what a rule excludes unless it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple

from otel_posthog.apps.collector_config.ottl import is_match, quoted
from otel_posthog.conventions import OLD_NAMES, ROUTE, Words, now_of
from otel_posthog.rules import Condition, Operator, holds, is_of_form

TRUE, FALSE = "true", "false"
_INT64 = range(-(2**63), 2**63)


class Told(Enum):
    """How the value under a name tells that of the attribute."""

    AS_IT_IS = auto()
    WITH_SLASH = auto()
    PATH = auto()
    QUERY = auto()
    PATH_OF_URL = auto()
    LEFT = auto()


class _Source(NamedTuple):
    """A name under which an attribute may stand.

    Attributes:
        field: The value there, in OTTL.
        told: How it tells that of the attribute.
        words: Those that have another name now.
    """

    field: str
    told: Told
    words: Mapping[str, str]


_TOLD: Mapping[tuple[str, str], Told] = {
    (ROUTE, ROUTE): Told.WITH_SLASH,
    ("url.path", "http.target"): Told.PATH,
    ("url.path", "http.url"): Told.PATH_OF_URL,
    ("url.query", "http.target"): Told.QUERY,
}
_TELLING = {Told.PATH: "", Told.QUERY: r"^[^?#]*\?[^#]", Told.PATH_OF_URL: r"^[^:]*://[^?#]"}
ODD_URL = "(?s)^[^:]*:(?:[^/]|/[^/]).*://"
"""A URL of which it is not told here what its host is."""


def told_by(key: str) -> Iterator[tuple[str, Told, Mapping[str, str]]]:
    """Yield each name under which the attribute `key` may stand, and how its value is told there."""
    yield key, *_how(key, key, now_of(key))
    for old in OLD_NAMES.get(key, ()):
        yield old.name, *_how(key, old.name, old.value)


def _how(key: str, name: str, value: object) -> tuple[Told, Mapping[str, str]]:
    if value is None:
        return Told.AS_IT_IS, {}
    if isinstance(value, Words):
        return Told.AS_IT_IS, value.now
    return _TOLD.get((key, name), Told.LEFT), {}


def on_attribute(condition: Condition, attributes: str) -> str:
    """Return in OTTL that `condition` may hold.

    Args:
        condition: On an attribute, of the item or of its resource.
        attributes: Where it stands (`span.attributes`).
    """
    sources = [_Source(f'{attributes}["{name}"]', told, words) for name, told, words in told_by(condition.key)]
    if condition.operator is Operator.ABSENT:
        return all_hold(negated(_surely_tells(each)) for each in sources)
    if condition.operator is Operator.UNLIKE:
        like = condition._replace(operator=Operator.LIKE)
        return negated(
            any_holds(
                all_hold(
                    [*(negated(_may_tell(other)) for other in sources[:at]), _surely_tells(each), _said(each, like)]
                )
                for at, each in enumerate(sources)
            )
        )
    return any_holds(
        all_hold(
            [*(negated(_surely_tells(other)) for other in sources[:at]), _may_tell(each), _may_say(each, condition)]
        )
        for at, each in enumerate(sources)
    )


def all_hold(conditions: Iterable[str]) -> str:
    """Return that all of `conditions` hold."""
    given = [each for each in dict.fromkeys(conditions) if each != TRUE]
    if FALSE in given:
        return FALSE
    return f"({' and '.join(given)})" if len(given) > 1 else given[0] if given else TRUE


def any_holds(conditions: Iterable[str]) -> str:
    """Return that any of `conditions` holds."""
    given = [each for each in dict.fromkeys(conditions) if each != FALSE]
    if TRUE in given:
        return TRUE
    return f"({' or '.join(given)})" if len(given) > 1 else given[0] if given else FALSE


def negated(condition: str) -> str:
    """Return that `condition` does not hold."""
    if condition in {TRUE, FALSE}:
        return FALSE if condition == TRUE else TRUE
    if condition.endswith(" != nil") and " " not in condition.removesuffix(" != nil"):
        return condition.replace(" != nil", " == nil")
    return f"not {condition}" if condition.startswith("(") else f"not ({condition})"


def like_any(field: str, forms: Iterable[str]) -> str:
    """Return that the text `field` is of any of `forms`, in which `*` stands for any characters."""
    patterns = [_pattern(form) for form in forms]
    return is_match(field, rf"(?s)^(?:{'|'.join(patterns)})\z") if patterns else FALSE


def number_literal(number: float) -> str:
    """Return a finite number as OTTL writes it."""
    if float(number).is_integer() and int(number) in _INT64:
        return str(int(number))
    text = format(Decimal(repr(float(number))), "f")
    return text if "." in text else f"{text}.0"


def _surely_tells(source: _Source) -> str:
    """Return that a value stands there that tells one of the attribute."""
    pattern = _TELLING.get(source.told)
    if pattern is None:
        return FALSE if source.told is Told.LEFT else f"{source.field} != nil"
    is_text = f"IsString({source.field})"
    return all_hold([is_text, is_match(source.field, pattern)]) if pattern else is_text


def _may_tell(source: _Source) -> str:
    if source.told is Told.LEFT:
        return f"{source.field} != nil"
    return any_holds([_surely_tells(source), _is_odd(source)])


def _is_odd(source: _Source) -> str:
    """Return that it is such a URL."""
    if source.told is not Told.PATH_OF_URL:
        return FALSE
    return all_hold([f"IsString({source.field})", is_match(source.field, ODD_URL)])


def _may_say(source: _Source, condition: Condition) -> str:
    """Return that `condition` may hold of the value that may be told there."""
    if source.told is Told.LEFT or condition.operator is Operator.PRESENT:
        return TRUE
    return any_holds([_said(source, condition), _is_odd(source)])


def _said(source: _Source, condition: Condition) -> str:
    """Return that `condition` holds of the value that is told there."""
    told, field = source.told, source.field
    if told is Told.LEFT:
        return FALSE
    if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        sign = ">=" if condition.operator is Operator.AT_LEAST else "<="
        return FALSE if told in _TELLING else _compared(field, sign, condition.number)
    if told is Told.AS_IT_IS:
        return _of_words(source, condition)
    return _with_slash(field, _forms(condition), condition) if told is Told.WITH_SLASH else _part(source, condition)


def _part(source: _Source, condition: Condition) -> str:
    """Return that the path or query in a text fits; neither has a sign in it that ends it."""
    forms = _forms(condition)
    if source.told is Told.QUERY:
        return _matches(
            source.field, r"[^?#]*\?", [_pattern(each, "[^#]*") for each in forms if "#" not in each], "(?:#.*)?"
        )
    possible = [each for each in forms if not {"?", "#"} & set(each)]
    if source.told is Told.PATH:
        return _matches(source.field, "", [_pattern(each, "[^?#]*") for each in possible], "(?:[?#].*)?")
    inner = [each for form in possible for each in _without_slash(form)]
    patterns = [f"/{_pattern(each, '[^?#]*')}" for each in inner]
    bare = [""] if any(is_of_form("/", form) for form in possible) else []
    return _matches(source.field, "[^:]*://[^/?#]*", [*patterns, *bare], "(?:[?#].*)?")


def _matches(field: str, head: str, patterns: Iterable[str], tail: str) -> str:
    given = list(dict.fromkeys(patterns))
    return is_match(field, rf"(?s)^{head}(?:{'|'.join(given)}){tail}\z") if given else FALSE


def _compared(field: str, sign: str, number: float) -> str:
    if math.isfinite(number):
        return f"{field} {sign} {number_literal(number)}"
    # Either every number is on that side, or infinity alone.
    return f"(IsInt({field}) or IsDouble({field}))" if (number < 0) is (sign == ">=") else f"IsDouble({field})"


def _of_words(source: _Source, condition: Condition) -> str:
    """Return that a value as it stands there fits, by the name that it has now."""
    direct = _directly(source.field, condition)
    more = [word for word, now in source.words.items() if holds(condition, now) and not holds(condition, word)]
    less = [word for word, now in source.words.items() if holds(condition, word) and not holds(condition, now)]
    if less:
        direct = all_hold([direct, *(f"{source.field} != {quoted(word)}" for word in less)])
    return any_holds([direct, *(f"{source.field} == {quoted(word)}" for word in more)])


def _directly(field: str, condition: Condition) -> str:
    if condition.operator is Operator.IS:
        return _equal(field, condition.value)
    if condition.operator is Operator.ONE_OF:
        return any_holds(_equal(field, each) for each in condition.values)
    return all_hold([f"IsString({field})", like_any(field, _forms(condition))])


def _equal(field: str, text: str) -> str:
    """Return that the text, number or truth value is written as `text`."""
    found = [f"{field} == {quoted(text)}"]
    if text in {TRUE, FALSE}:
        found.append(f"{field} == {text}")
    try:
        number = int(text) if text.lstrip("-").isdigit() else float(text)
        is_plain = abs(number) < 2.0**1023 and math.isfinite(number)
    except ValueError:
        return any_holds(found)
    found.append(f"{field} == {_number(number)}" if is_plain else f"IsDouble({field})")
    return any_holds(found)


def _number(number: float) -> str:
    return str(number) if isinstance(number, int) and number in _INT64 else number_literal(number)


def _forms(condition: Condition) -> list[str]:
    """Return the texts that fit, as forms; a star that stands for itself is any characters, so that more fits."""
    if condition.operator is Operator.IS:
        return [condition.value]
    return [f"{condition.value}*"] if condition.operator is Operator.BEGINS else list(condition.values)


def _with_slash(field: str, forms: Sequence[str], condition: Condition) -> str:
    """Return that a text fits to which a slash is added where it does not begin with one; or another value as it is."""
    begins, inner = is_match(field, "^/"), list(dict.fromkeys(each for form in forms for each in _without_slash(form)))
    of_text = any_holds(
        [
            all_hold([begins, like_any(field, forms)]),
            all_hold([f"not {begins}", like_any(field, inner)]) if inner else FALSE,
        ]
    )
    text = all_hold([f"IsString({field})", of_text])
    if condition.operator in {Operator.IS, Operator.ONE_OF}:
        return any_holds([text, all_hold([f"not IsString({field})", _directly(field, condition)])])
    return text


def _without_slash(form: str) -> Iterator[str]:
    """Yield the forms of texts that are of `form` with a slash before them."""
    if form.startswith("/"):
        yield form[1:]
    elif form.startswith("*"):
        yield form
        rest = form.lstrip("*")
        if rest.startswith("/"):
            yield rest[1:]


def _pattern(form: str, any_of_it: str = ".*") -> str:
    return any_of_it.join(re.escape(part) for part in form.split("*"))
