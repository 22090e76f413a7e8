"""What YAML can say and a policy cannot mean: tags of other languages, aliases that multiply, levels without end.

Asked of the whole file before it is read: what comes after may take every node for a plain value of a finite tree.
"""

from __future__ import annotations

from typing import NoReturn

import yaml

from otel_posthog.errors import PolicyError

MAX_LEVELS = 32
"""A property of a list of an event of the catalog of a destination stands at the fifteenth."""

MAX_NODES = 500_000
"""Of a file with what its aliases repeat."""

_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "map", "null", "seq", "str"))
# What an unquoted text looks like to YAML; where a text is wanted, it is taken as it is written.
_LOOKS_LIKE = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("merge", "timestamp", "value"))


def refuse_odd(root: yaml.Node, source: str) -> None:
    """Refuse what no policy means.

    Args:
        root: A whole file.
        source: What to call it in errors.

    Raises:
        PolicyError: There is such a thing, with its line.
    """
    sizes: dict[int, int] = {}
    above: set[int] = set()
    # Each node twice: before what is below it, and after.
    to_do: list[tuple[yaml.Node, bool]] = [(root, True)]
    while to_do:
        node, is_new = to_do.pop()
        inner = _below(node)
        if not is_new:
            above.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(each)] for each in inner)
            if sizes[id(node)] > MAX_NODES:
                _fail("aliases make this too large", "write out what they stand for", node, source)
        elif id(node) in above:
            _fail("an alias stands in what it names", "write out what it stands for", node, source)
        elif id(node) not in sizes:
            if node.tag not in _TAGS | (_LOOKS_LIKE if isinstance(node, yaml.ScalarNode) else frozenset()):
                _fail("tags are not understood", "leave out what begins with `!`", node, source)
            if isinstance(node, yaml.ScalarNode) and not node.value.isascii():
                node.value = _whole(node, source)
            above.add(id(node))
            if len(above) > MAX_LEVELS:
                _fail("this is nested too deep", f"write at most {MAX_LEVELS} levels", node, source)
            to_do.append((node, False))
            to_do += ((each, True) for each in inner)


def _whole(node: yaml.ScalarNode, source: str) -> str:
    """Return the text of a node with each character that JSON writes as two halves in one piece."""
    try:
        whole: str = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _fail("half a character stands here", "write a whole one", node, source)
    return whole


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _fail(problem: str, fix: str, node: yaml.Node, source: str) -> NoReturn:
    raise PolicyError(problem, fix=fix, path=source, line=node.start_mark.line + 1)
