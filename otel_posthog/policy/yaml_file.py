"""A policy file read on top of the built-in policy.

The typed policy is the schema: sections and keys are its fields, so that neither can drift from the other. Maps merge
with the defaults, lists replace them, and `also_<list>` adds to a list. Every complaint names the line and the fix.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from otel_posthog.errors import PolicyError
from otel_posthog.policy.frozen import FrozenMap
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections import PrivacyPolicy

_T = TypeVar("_T")

# Fields that a file does not set.
_NOT_IN_FILE = frozenset({"source", "hmac_secret"})


def load_policy(path: str | Path) -> Policy:
    """Return the policy in the YAML file at `path`, on top of the built-in one.

    Raises:
        PolicyError: The file cannot be read, or says something that cannot be meant; with the line.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        problem = f"the policy cannot be read ({error.strerror})"
        raise PolicyError(problem, fix="name a readable file in OTEL_POSTHOG_POLICY", path=where) from None
    except UnicodeDecodeError:
        raise PolicyError("the policy is not UTF-8 text", fix="save it as UTF-8", path=where) from None
    return parse_policy(text, source=where)


def parse_policy(text: str, *, source: str) -> Policy:
    """Return the policy in `text`.

    Args:
        text: YAML.
        source: What to call it in errors.

    Raises:
        PolicyError: As `load_policy`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"this is not YAML ({error.problem})"
        raise PolicyError(problem, fix="check indentation and quotes", path=source, line=line) from None
    if root is None:
        return replace(Policy(), source=source)
    reader = _Reader(source)
    policy = reader.section(root, Policy(), "the policy")
    reader.check(policy, root)
    return replace(policy, source=source)


class _Reader:
    """Reads YAML nodes into the fields of the policy's dataclasses."""

    def __init__(self, source: str) -> None:
        self._source = source

    def section(self, node: yaml.Node, default: _T, where: str) -> _T:
        """Return `default` with what the mapping `node` sets."""
        hints = get_type_hints(type(default))
        names = [each.name for each in fields(default) if each.name not in _NOT_IN_FILE]  # type: ignore[arg-type]
        changes: dict[str, Any] = {}
        for key, value in self._items(node, where):
            name, adds = _field_of(key.value, names, hints)
            if name is None:
                close = difflib.get_close_matches(key.value, names, n=1)
                fix = f"did you mean `{close[0]}`?" if close else f"the keys here are {', '.join(names)}"
                self._fail(f"`{key.value}` is not a key of {where}", fix, key)
            current = getattr(default, name)
            new = self._value(value, hints[name], current, name)
            changes[name] = changes.get(name, current) | new if adds else new
        return replace(default, **changes)  # type: ignore[type-var]

    def check(self, policy: Policy, node: yaml.Node) -> None:
        """Refuse what is well-formed and cannot be meant."""
        names = [each.name for each in policy.destinations]
        if policy.version != 1:
            self._fail(f"version {policy.version} is not known", "write `version: 1`", node)
        if not names or len(set(names)) != len(names):
            self._fail("destinations need a name each, no two alike", "give each a `name:`", node)
        for destination in policy.destinations:
            if not destination.host.startswith(("https://", "http://")):
                self._fail("a host must be a URL", "write e.g. `host: https://eu.i.posthog.com`", node)
        unknown = policy.privacy.detectors.keys() - PrivacyPolicy().detectors.keys()
        if unknown:
            known = ", ".join(sorted(PrivacyPolicy().detectors))
            self._fail(f"detector `{min(unknown)}` does not exist", f"there are {known}", node)
        if policy.trace_url is not None:
            try:
                policy.trace_url.format(trace_id="", span_id="")
            except (KeyError, IndexError, ValueError):
                self._fail("trace_url has an unknown placeholder", "use {trace_id} and {span_id} only", node)

    def _items(self, node: yaml.Node, where: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(f"{where} must be a map", "write `key: value` lines", node)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                self._fail("a key stands twice, or is no word", "write each key once", key)
            seen.add(key.value)
        return list(node.value)

    def _value(self, node: yaml.Node, hint: Any, default: Any, name: str) -> Any:
        """Return what `node` says, as the type `hint`."""
        origin, inner = get_origin(hint), [each for each in get_args(hint) if each is not type(None)]
        if origin in {types.UnionType, Union}:
            return None if _is_null(node) else self._value(node, inner[0], default, name)
        if is_dataclass(hint):
            return self.section(node, default, f"`{name}`")
        if origin is FrozenMap:
            return self._map(node, inner[1], default, name)
        if origin in {tuple, frozenset}:
            items = self._list(node, name)
            if is_dataclass(inner[0]):
                return tuple(self.section(each, _default(inner[0]), f"an entry of `{name}`") for each in items)
            return origin(self._scalar(each, inner[0], name) for each in items)
        return self._scalar(node, hint, name)

    def _map(self, node: yaml.Node, hint: Any, default: Mapping[str, Any], name: str) -> FrozenMap[str, Any]:
        """Return `default` with the entries of a map changed, or, for a list, what `default` says of those in it."""
        if isinstance(node, yaml.SequenceNode):
            names = [self._scalar(each, str, name) for each in node.value]
            return FrozenMap({each: default.get(each) for each in names})
        entries = {
            key.value: self._value(value, hint, None, key.value) for key, value in self._items(node, f"`{name}`")
        }
        return FrozenMap({**default, **entries})

    def _list(self, node: yaml.Node, name: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self._fail(f"`{name}` must be a list", f"write `{name}: [..., ...]`", node)
        return list(node.value)

    def _scalar(self, node: yaml.Node, hint: Any, name: str) -> Any:
        if isinstance(hint, type) and issubclass(hint, Enum):
            choices = [each.value for each in hint]
            if not isinstance(node, yaml.ScalarNode) or node.value not in choices:
                self._fail(f"`{name}` must be one of {', '.join(choices)}", f"write e.g. `{name}: {choices[0]}`", node)
            return hint(node.value)
        value = _plain(node)
        words, accepts = _KINDS[hint]
        if not accepts(value):
            self._fail(f"`{name}` must be {words}", f"write `{name}:` and {words}", node)
        return value

    def _fail(self, problem: str, fix: str, node: yaml.Node) -> NoReturn:
        raise PolicyError(problem, fix=fix, path=self._source, line=node.start_mark.line + 1)


_KINDS: Mapping[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number above 0", lambda value: type(value) is int and value > 0),
    float: ("a number above 0", lambda value: type(value) in {int, float} and value > 0),
    str: ("text", lambda value: isinstance(value, str) and value != ""),
}


def _default(kind: Any) -> Any:
    """Return a section with nothing set."""
    return kind()


def _field_of(key: str, names: list[str], hints: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the field that `key` sets, and whether it adds to a set instead of replacing it."""
    if key in names:
        return key, False
    name = key.removeprefix("also_")
    if name != key and name in names and get_origin(hints[name]) is frozenset:
        return name, True
    return None, False


def _plain(node: yaml.Node) -> Any:
    """Return a scalar node's value as YAML's core schema reads it; None for anything else."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    return yaml.safe_load(yaml.serialize(node))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
