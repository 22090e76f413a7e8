"""A policy file, and the catalog files that it names, read on top of the built-in policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from otel_posthog.errors import PolicyError
from otel_posthog.policy.checks import problems
from otel_posthog.policy.frozen import FrozenMap
from otel_posthog.policy.nodes import MAX_LEVELS, refuse_odd
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.reader import Reader, refuse
from otel_posthog.policy.sections import Catalog, KeyReference, PrivacyPolicy

BUILT_IN = Policy()
MAX_BYTES = 4 * 1024 * 1024
"""Of one file. YAML is read in Python, at about half a megabyte a second."""


def load_policy(path: str | Path, base: Policy = BUILT_IN) -> Policy:
    """Return the policy in the YAML file at `path`, on top of `base`.

    Raises:
        PolicyError: A file cannot be read, or says something that cannot be meant; with the line.
    """
    where = str(path)
    text = _text(where, "the policy", "name a readable file in OTEL_POSTHOG_POLICY")
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
            refuse_odd(root, source)
        return root
    except RecursionError:
        raise PolicyError("this is nested too deep", fix=f"write at most {MAX_LEVELS} levels", path=source) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"this is not YAML ({error.problem})"
        raise PolicyError(problem, fix="check indentation and quotes", path=source, line=line) from None
    except yaml.YAMLError:
        raise PolicyError("this is not YAML", fix="save it as UTF-8 text", path=source) from None
