"""YAML nodes in, the policy's dataclasses out: every key of the file is a field, of the field's type.

The typed policy is the schema, so that neither can drift from the other. Maps merge with the defaults, lists replace
them, and `also_<list>` adds to a set. Every complaint names the line and the fix, and never repeats a value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import yaml
from yaml.constructor import SafeConstructor

from otel_posthog.errors import PolicyError
from otel_posthog.policy.advice import ALSO, added, field_of, key_for, other_key, other_word
from otel_posthog.policy.fields import NOT_IN_FILE, FrozenMap, KeyPath, required, section_or_word, shortened, words_of
from otel_posthog.policy.sections.privacy import HitMethod, KeyReference, PrivacyPolicy

_T = TypeVar("_T")

MAX_SECONDS, MAX_WHOLE = 10**9, 2**53
"""The longest time, 32 years (no system waits for more than a few hundred), and the largest whole number: JSON's."""

LAST = "destinations"
"""The key that is read after the others: what a destination changes, it changes of them."""


class Reader:
    """Reads YAML nodes into the fields of the policy's dataclasses.

    Args:
        source: What to call the file in errors.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: dict[KeyPath, int] = {}
        self._keys: dict[KeyPath, str] = {}
        self._mistakes: list[PolicyError] = []
        self._privacy = PrivacyPolicy()

    def read(self, node: yaml.Node, default: _T, where: str) -> _T:
        """Return `default` with what the mapping `node`, a whole file, sets.

        Args:
            node: A mapping.
            default: What is kept of the keys that it does not set.
            where: What to call it in errors.

        Raises:
            PolicyError: A key or a value is not one of the section's; the first of them, with the others.
        """
        made = self._section(node, default, where, ())
        refuse(self._mistakes)
        return made

    def _section(self, node: yaml.Node, default: _T, where: str, path: KeyPath) -> _T:
        """Return `default` with what `node`, which stands at `path`, sets; a mistake leaves one key out and is kept."""
        hints = get_type_hints(type(default))
        known = {each.name: each for each in fields(default) if each.name not in NOT_IN_FILE}  # type: ignore[arg-type]
        offered = [name for name, each in known.items() if not each.metadata.get("reserved")]
        changes: dict[str, Any] = {}
        for key, value in sorted(self._items(node, where, path), key=_rank):
            try:
                name, adds = field_of(key.value, list(known), hints)
                if name is None:
                    self._fail(
                        f"`{shortened(key.value)}` is not a key of {where}", other_key(key.value, offered, hints), key
                    )
                self._refuse_reserved(name, known[name].metadata, key, value)
                current = getattr(default, name)
                here = (*path, name)
                self._lines[here] = key.start_mark.line + 1
                self._keys[here] = key.value if adds else key_for(name, hints[name])
                new = self._value(value, hints[name], current, here, known[name].metadata)
            except PolicyError as mistake:
                self._mistakes.append(mistake)
                continue
            changes[name] = added(name, self._before(name, changes.get(name, current)), new) if adds else new
            if isinstance(new, PrivacyPolicy) and not path:
                self._privacy = new
        return replace(default, **changes)  # type: ignore[type-var]

    def line_of(self, path: KeyPath) -> int:
        """Return the line at which `path`, or what is nearest above it, stands."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _refuse_reserved(self, name: str, limits: Mapping[str, Any], key: yaml.Node, value: yaml.Node) -> None:
        """Refuse whatever stands under a key of a later version, in one way: no advice on its form leads anywhere."""
        is_empty = _is_null(value) or (isinstance(value, yaml.SequenceNode) and not value.value)
        if limits.get("reserved") and not is_empty:
            self._fail(f"`{name}` is not supported by this version", f"leave `{name}` out", key)

    def _items(self, node: yaml.Node, where: str, path: KeyPath) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(f"{where} must be a map", "write `key: value` lines", node)
        self._lines.setdefault(path, node.start_mark.line + 1)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                self._fail("a key stands twice, or is no word", "write each key once", key)
            seen.add(key.value)
        return list(node.value)

    def _value(self, node: yaml.Node, hint: Any, default: Any, path: KeyPath, limits: Mapping[str, Any]) -> Any:
        """Return what `node` says, as the type `hint`."""
        if limits.get("reserved"):
            return default
        set_hint = required(hint)
        if set_hint is not None:
            return None if _is_null(node) else self._value(node, set_hint, default, path, limits)
        section = section_or_word(hint)
        if section is not None:
            hint = str if isinstance(node, yaml.ScalarNode) else section
        if is_dataclass(hint):
            return self._section(node, self._base(hint, default), f"`{shortened(str(path[-1]))}`", path)
        origin, inner = get_origin(hint), get_args(hint)
        if origin is FrozenMap:
            return self._map(node, inner[1], default, path, limits)
        if origin in {tuple, frozenset}:
            items = self._list(node, path)
            return origin(self._value(each, inner[0], None, path_, limits) for path_, each in items)
        return self._scalar(node, hint, path, limits)

    def _before(self, name: str, current: Any) -> Any:
        """Return what `also_<name>` adds to; a list that is not given is that of `privacy`."""
        return getattr(self._privacy, name) if current is None else current

    def _base(self, hint: Any, default: Any) -> Any:
        """Return what a section is read on top of: what stands there, or the policy's own for a destination's."""
        # A reference to a key is one of two places: of the one below, nothing is kept.
        if default is not None and hint is not KeyReference:
            return default
        return self._privacy if hint is PrivacyPolicy else hint()

    def _map(
        self, node: yaml.Node, hint: Any, default: Mapping[str, Any] | None, path: KeyPath, limits: Mapping[str, Any]
    ) -> FrozenMap[str, Any]:
        """Return `default` with the entries of a map changed; for a list of detectors, those in it and no others."""
        before = default or {}
        if isinstance(node, yaml.SequenceNode) and hint is HitMethod:
            names = [self._name(each, limits, path_) for path_, each in self._list(node, path)]
            return FrozenMap({each: before.get(each, HitMethod.REPLACE) for each in names})
        if hint is HitMethod and not isinstance(node, yaml.MappingNode):
            fix = f"write `{self._keys.get(path, path[-1])}: [..., ...]`"
            self._fail(f"`{path[-1]}` must be a map or a list", fix, node)
        entries = {}
        for key, value in self._items(node, f"`{shortened(str(path[-1]))}`", path):
            name = self._name(key, limits, (*path, key.value))
            entries[name] = self._value(value, hint, before.get(name), (*path, name), {})
        return FrozenMap({**before, **entries})

    def _name(self, node: yaml.Node, limits: Mapping[str, Any], path: KeyPath) -> str:
        """Return the name of an entry of a map, one of the choices where there are such."""
        name = str(self._scalar(node, str, path, {}))
        choices = limits.get("choices")
        if choices is not None and name not in choices:
            noun = limits.get("noun", "name")
            self._fail(
                f"{noun} `{shortened(name)}` does not exist",
                other_word(name, choices),
                node,
            )
        self._lines[path] = node.start_mark.line + 1
        return name

    def _list(self, node: yaml.Node, path: KeyPath) -> list[tuple[KeyPath, yaml.Node]]:
        if not isinstance(node, yaml.SequenceNode):
            self._fail(f"`{path[-1]}` must be a list", f"write `{self._keys.get(path, path[-1])}: [..., ...]`", node)
        found: list[tuple[KeyPath, yaml.Node]] = [((*path, index), each) for index, each in enumerate(node.value)]
        self._lines.update((here, each.start_mark.line + 1) for here, each in found)
        return found

    def _scalar(self, node: yaml.Node, hint: Any, path: KeyPath, limits: Mapping[str, Any]) -> Any:
        name = next((each for each in reversed(path) if isinstance(each, str)), "value")
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(hint, type) and issubclass(hint, Enum):
            choices = words_of(hint)
            if not isinstance(node, yaml.ScalarNode) or node.value not in choices:
                self._fail(f"`{name}` must be one of {', '.join(choices)}", f"write e.g. `{name}: {choices[0]}`", node)
            return hint(node.value)
        value = _plain(node, hint)
        words, accepts = kind_of(hint, limits)
        most = _most(name, value)
        if isinstance(value, (int, float)) and not -most <= value <= most:
            self._fail(f"`{name}` is out of reach", f"write `{name}:` and a number up to {most:,.15g}", node)
        if not accepts(value):
            self._fail(f"`{name}` must be {words}", f"write `{name}:` and {words}", node)
        if limits.get("choices") is not None and value not in limits["choices"]:
            noun = limits.get("noun", "name")
            self._fail(
                f"{noun} `{shortened(str(value))}` does not exist",
                other_word(str(value), limits["choices"]),
                node,
            )
        return float(value) if hint is float else value

    def _fail(self, problem: str, fix: str, node: yaml.Node) -> NoReturn:
        raise PolicyError(problem, fix=fix, path=self._source, line=node.start_mark.line + 1)


def _rank(item: tuple[yaml.ScalarNode, yaml.Node]) -> tuple[bool, bool, bool]:
    """Return the rank in which a key is read: `privacy` first, on which others build; what adds, after its base."""
    key = item[0].value
    return key == LAST, key != "privacy", key.startswith(ALSO)


def refuse(mistakes: Iterable[PolicyError]) -> None:
    """Raise the first of `mistakes` with the others, if there are any.

    Raises:
        PolicyError: There are.
    """
    found = sorted(mistakes, key=lambda each: each.line)
    if found:
        found[0].others = tuple(found[1:])
        raise found[0]


def kind_of(hint: Any, limits: Mapping[str, Any]) -> tuple[str, Callable[[Any], bool]]:
    """Return what a scalar of type `hint` must be, in words and as a test."""
    low, high = limits.get("minimum", 0), limits.get("maximum")
    if hint is bool:
        return "true or false", lambda value: isinstance(value, bool)
    if hint is str:
        return "text", lambda value: isinstance(value, str) and value != ""
    noun, types_ = ("a whole number", {int}) if hint is int else ("a number", {int, float})
    if low is None:
        return noun, lambda value: type(value) in types_
    if high is not None:
        return f"{noun} from {low} to {high}", lambda value: type(value) in types_ and low <= value <= high
    if "minimum" in limits:
        return f"{noun}, {low} or more", lambda value: type(value) in types_ and value >= low
    return f"{noun} above 0", lambda value: type(value) in types_ and value > 0


def _plain(node: yaml.Node, hint: Any) -> Any:
    """Return a scalar node's value; where a text is wanted, it is taken as written (`values: [yes, no]`)."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if hint is str:
        return None if _is_null(node) else node.value
    try:
        return SafeConstructor().construct_document(node)
    except (ValueError, KeyError, OverflowError, yaml.YAMLError):
        # `!!int x`, a day that no month has, more digits than Python reads.
        return None


def _most(name: str, value: object) -> float:
    """Return how large the number `value` of the key `name` may be."""
    if name.endswith("_s"):
        return MAX_SECONDS
    return MAX_WHOLE if isinstance(value, int) else sys.float_info.max


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
