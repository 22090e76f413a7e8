"""What the sections of a policy are made of: described settings, choices of words, immutable maps.

A setting's description and limits stand where the setting is: the reader, the schema and the reference take them from
there. Nothing here depends on which sections there are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import Field, field, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from otel_posthog.model import REDACTED

if TYPE_CHECKING:
    from typing_extensions import Self

_T = TypeVar("_T")
_K = TypeVar("_K")
_V = TypeVar("_V")

KeyPath = tuple["str | int", ...]
"""Where something stands in a policy: keys and indexes from the top."""

NOT_IN_FILE = frozenset({"source", "hmac_secret"})
"""Fields that a file does not set."""

_ABOVE_0: Any = object()
_NAME_CHARS = 64


def setting(  # noqa: PLR0913 - what may be said of a setting
    default: _T,
    description: str,
    *,
    minimum: float | None = _ABOVE_0,
    maximum: float | None = None,
    choices: Collection[str] | None = None,
    noun: str = "name",
    reserved: bool = False,
    secret: bool = False,
) -> _T:
    """Return a field of a section, as `dataclasses.field` does.

    Args:
        default: Its value in the built-in policy.
        description: What it is, for the schema and the reference.
        minimum: The least number; None for any, and where not given any above 0.
        maximum: The largest number.
        choices: The only words that may stand there, or be keys there.
        noun: What to call one of `choices` in an error.
        reserved: Whether it must be left empty, for a later version.
        secret: Whether the value is never shown.
    """
    limits: dict[str, Any] = {"description": description, "reserved": reserved, "secret": secret}
    if minimum is not _ABOVE_0:
        limits["minimum"] = minimum
    if maximum is not None:
        limits["maximum"] = maximum
    if choices is not None:
        limits.update(choices=choices, noun=noun)
    made: Any = field(default=default, repr=not secret, metadata=limits)
    return made  # type: ignore[no-any-return]


class Choice(str, Enum):
    """A choice of words; a member is its word, and what that does: `DROP = "drop", "the property goes."`."""

    description: str
    if TYPE_CHECKING:

        @property
        def value(self) -> str:
            """The word."""

    def __new__(cls, word: str, description: str = "") -> Self:
        """Make a member of its word."""
        self = str.__new__(cls, word)
        self._value_ = word
        self.description = description
        return self


def plain(value: object, shows: Callable[[str, object], bool], text: Callable[[str], str] = str) -> object:
    """Return a policy, or what stands in one, in the lists and maps of YAML and JSON; secrets are redacted.

    Args:
        value: A section, or the value of a setting.
        shows: Whether the setting of a name and a value is shown; it is left out otherwise.
        text: Called with each text that is not a choice; returns what to show of it.
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: REDACTED if each.metadata.get("secret") else plain(found, shows, text)
            for each in fields(value)
            if shows(each.name, found := getattr(value, each.name))
        }
    if isinstance(value, Mapping):
        return {text(str(key)): plain(each, shows, text) for key, each in value.items()}
    if isinstance(value, (tuple, frozenset)):
        made = [plain(each, shows, text) for each in value]
        return sorted(map(str, made)) if isinstance(value, frozenset) else made
    return text(value) if isinstance(value, str) else value


def required(hint: Any) -> Any | None:
    """Return the type that an optional setting has where it is set; None of a setting that is not optional."""
    kinds = get_args(hint) if get_origin(hint) in {UnionType, Union} else ()
    if type(None) not in kinds:
        return None
    others = tuple(each for each in kinds if each is not type(None))
    return Union[others] if others else None  # noqa: UP007 - of as many as there are


def section_or_word(hint: Any) -> Any | None:
    """Return the section of a type that is a section or, for short, a word; None of any other."""
    kinds = get_args(hint) if get_origin(hint) in {UnionType, Union} else ()
    return next((each for each in kinds if is_dataclass(each)), None) if str in kinds else None


def shortened(name: str) -> str:
    """Return a name as an error repeats it to whoever wrote it; no known name is so long."""
    shown = name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…"
    # YAML lets through what is not seen, or no character of this Python's Unicode yet.
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in shown)


def words_of(choices: type[Enum]) -> list[str]:
    """Return the words by which a choice can be named, other names of the same one included."""
    return list(
        dict.fromkeys(word for name, each in choices.__members__.items() for word in (each.value, name.lower()))
    )


def description_of(setting_: Field[Any]) -> str:
    """Return what a setting is."""
    return str(setting_.metadata["description"])


def descriptions_of(choices: type[Enum]) -> dict[str, str]:
    """Return word -> what it does, of those that are described."""
    return {each.value: each.description for each in choices if isinstance(each, Choice) and each.description}


def summary_of(kind: type) -> str:
    """Return what a section or a choice is: its docstring in one line."""
    return " ".join((inspect.getdoc(kind) or "").split())


class FrozenMap(Mapping[_K, _V]):
    """An immutable mapping; equal to any mapping of the same items.

    Args:
        items: What it holds, copied.
    """

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[_K, _V] | None = None) -> None:
        self._items = dict(items or {})
        self._hash: int | None = None

    def __getitem__(self, key: _K) -> _V:
        return self._items[key]

    def __iter__(self) -> Iterator[_K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"
