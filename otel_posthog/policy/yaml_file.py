"""A policy file, and the catalog files that it names, read on top of the built-in policy.

What YAML can say and a policy cannot mean (tags of other languages, aliases that multiply, levels without end) is
refused of a whole file before it is read: what comes after may take every node for a plain value of a finite tree.
Runs at start and in commands, and with a watched file on the worker.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import yaml

from otel_posthog.errors import PolicyError
from otel_posthog.policy.checks import problems
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.reader import Reader, refuse
from otel_posthog.policy.sections.catalog import Catalog
from otel_posthog.policy.sections.privacy import KeyReference, PrivacyPolicy

BUILT_IN = Policy()
MAX_BYTES = 4 * 1024 * 1024
"""Of one file. YAML is read in Python, at about half a megabyte a second."""

MAX_LEVELS = 32
"""A property of a list of an event of the catalog of a destination stands at the fifteenth."""

MAX_NODES = 500_000
"""Of a file with what its aliases repeat."""

_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "map", "null", "seq", "str"))
# What an unquoted text looks like to YAML; where a text is wanted, it is taken as it is written.
_LOOKS_LIKE = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("merge", "timestamp", "value"))


def load_policy(path: str | Path, base: Policy = BUILT_IN) -> Policy:
    """Return the policy in the YAML file at `path`, on top of `base`.

    Raises:
        PolicyError: A file cannot be read, or says something that cannot be meant; with the line.
    """
    where = str(path)
    text = _text(where, "the policy", "name a readable file, as the argument or in OTEL_POSTHOG_POLICY")
    return parse_policy(text, source=where, directory=Path(path).parent, base=base)


def parse_policy(text: str, *, source: str, directory: Path | None = None, base: Policy = BUILT_IN) -> Policy:
    """Return the policy in `text`.

    Args:
        text: YAML.
        source: What to call it in errors.
        directory: Where the files are that it names; the working directory where not given.
        base: What holds where it says nothing.

    Raises:
        PolicyError: As `load_policy`.
    """
    root = _compose(text, source)
    if root is None:
        return replace(base, source=source)
    reader = Reader(source)
    policy = replace(reader.read(root, base, "the policy"), source=source)
    refuse(
        PolicyError(each.problem, fix=each.fix, path=source, line=reader.line_of(each.path))
        for each in problems(policy)
    )
    return _with_files(policy, directory or Path(), reader)


def files_of(policy: Policy) -> tuple[str, ...]:
    """Return the paths of the files that `policy` was read from, those of the keys of `hmac` too."""
    catalogs = (policy.catalog, *(each.catalog for each in policy.destinations))
    keys = (each.hmac_key for each in (policy.privacy, *(each.privacy for each in policy.destinations)) if each)
    named = [each.file for each in (*catalogs, *keys) if each is not None and each.file is not None]
    return (policy.source, *dict.fromkeys(named))


def _with_files(policy: Policy, directory: Path, reader: Reader) -> Policy:
    """Return `policy` with the catalogs that it names read, and paths that hold from anywhere."""
    return replace(
        policy,
        catalog=_read_catalog(policy.catalog, directory, policy.source, reader.line_of(("catalog", "file"))),
        identity_keys_file=policy.identity_keys_file and str(directory / policy.identity_keys_file),
        privacy=_located(policy.privacy, directory),
        destinations=tuple(
            replace(
                each,
                catalog=each.catalog
                and _read_catalog(
                    each.catalog, directory, policy.source, reader.line_of(("destinations", at, "catalog", "file"))
                ),
                privacy=each.privacy and _located(each.privacy, directory),
            )
            for at, each in enumerate(policy.destinations)
        ),
    )


def _located(privacy: PrivacyPolicy, directory: Path) -> PrivacyPolicy:
    key = privacy.hmac_key
    if key is None or key.file is None:
        return privacy
    return replace(privacy, hmac_key=KeyReference(file=str(directory / key.file)))


def _read_catalog(catalog: Catalog, directory: Path, source: str, line: int) -> Catalog:
    """Return `catalog` with what its file declares beneath what it declares itself."""
    if catalog.file is None:
        return catalog
    where = str(directory / catalog.file)
    text = _text(where, "the catalog", f"name a readable file in `catalog: file:` ({source}:{line})")
    root = _compose(text, where)
    if root is None:
        return replace(catalog, file=where)
    reader = Reader(where)
    found = reader.read(root, Catalog(), "a catalog")
    if found.file is not None:
        line = reader.line_of(("file",))
        raise PolicyError("a catalog names no other", fix="leave `file` out", path=where, line=line)
    refuse(
        PolicyError(each.problem, fix=each.fix, path=where, line=reader.line_of(each.path[1:]))
        for each in problems(Policy(catalog=found))
    )
    return replace(
        catalog,
        file=where,
        events=FrozenMap({**found.events, **catalog.events}),
        properties=FrozenMap({**found.properties, **catalog.properties}),
        person=FrozenMap({**found.person, **catalog.person}),
        groups=FrozenMap({**found.groups, **catalog.groups}),
    )


def _text(where: str, what: str, fix: str) -> str:
    try:
        with Path(where).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            problem = f"{what} is larger than {MAX_BYTES // 1024:,} KiB"
            raise PolicyError(problem, fix="declare less in it", path=where)
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise PolicyError(f"{what} cannot be read ({error.strerror})", fix=fix, path=where) from None
    except UnicodeDecodeError:
        raise PolicyError(f"{what} is not UTF-8 text", fix="save it as UTF-8", path=where) from None


def _compose(text: str, source: str) -> yaml.Node | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            _refuse_odd(root, source)
        return root
    except RecursionError:
        raise PolicyError("this is nested too deep", fix=f"write at most {MAX_LEVELS} levels", path=source) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"this is not YAML ({error.problem})"
        raise PolicyError(problem, fix="check indentation and quotes", path=source, line=line) from None
    except yaml.YAMLError:
        raise PolicyError("this is not YAML", fix="save it as UTF-8 text", path=source) from None


def _refuse_odd(root: yaml.Node, source: str) -> None:
    """Refuse what YAML can say and no policy means.

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
