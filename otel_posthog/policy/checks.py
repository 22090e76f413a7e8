"""What is well-formed in a policy and cannot be meant, and where a policy removes less than the built-in one.

`problems` says where each mistake stands and what to write instead; a policy with one is refused. What `weaknesses`
says is allowed, and shown to whoever checks the policy. Nothing is read here, of files or of the environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_posthog.policy.defaults import (
    ALLOWED_TELEMETRY_KEYS,
    DETECTORS,
    ID_KEYS,
    SENSITIVE_KEYS,
    USER_KEY_PREFIXES,
    USER_KEYS,
)
from otel_posthog.policy.derive_checks import derive_problems
from otel_posthog.policy.fields import KeyPath, shortened
from otel_posthog.policy.link_checks import events_url_problems, is_url, trace_url_problems
from otel_posthog.policy.pattern import PatternError, compile_pattern
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections.catalog import Catalog, PropertySpec, PropertyType
from otel_posthog.policy.sections.delivery import Destination
from otel_posthog.policy.sections.identity import IdentityUser
from otel_posthog.policy.sections.privacy import HitMethod, KeyReference, Method, PrivacyPolicy, Rule
from otel_posthog.regex import regex

_RULE_NAME = regex(r"[a-z][a-z0-9_]{0,31}")
_TOKEN_NAME = regex(r"[a-z][a-z_]{0,31}")
_REVISION = regex(r"[A-Za-z0-9._-]{1,64}")
_NAMES_SHOWN = 3
MAX_KEY_CHARS = 200
"""What is read, and sent, of a key."""

# Longer than what waits may be old: application threads would see to their own events.
MAX_WORKER_INTERVAL_S = 0.02

NEVER_SENT = frozenset({"exception.message", "exception.stacktrace"})
"""Attributes that `privacy` never sends."""

_VARIABLE = regex(r"[A-Za-z_][A-Za-z0-9_]*")
_HIT_METHODS = frozenset({Method.DROP, Method.REPLACE, Method.MASK, Method.HMAC, Method.IP_PREFIX, Method.KEEP})


class Problem(NamedTuple):
    """One thing that cannot be meant.

    Attributes:
        path: Where it stands.
        problem: What is wrong.
        fix: What to write instead.
    """

    path: KeyPath
    problem: str
    fix: str


def problems(policy: Policy) -> Iterator[Problem]:
    """Yield what cannot be meant in `policy`; nothing is read, of files or of the environment."""
    if policy.version != 1:
        yield Problem(("version",), f"version {policy.version} is not known", "write `version: 1`")
    if policy.revision is not None and not _REVISION.fullmatch(policy.revision):
        fix = "use letters, digits, `.`, `_` and `-`, at most 64"
        yield Problem(("revision",), "a revision is shown in metrics, and cannot be written so", fix)
    yield from _identity_user(policy.identity_user)
    names = [each.name for each in policy.destinations]
    for found in (*trace_url_problems(policy.trace_url), *events_url_problems(policy.operational.events_url, names)):
        yield Problem(*found)
    yield from _privacy(policy.privacy, ("privacy",))
    yield from _catalog(policy.catalog, ("catalog",))
    yield from _destinations(policy.destinations)
    for found in derive_problems(policy.derive):
        yield Problem(*found)
    if not 0 < policy.delivery.worker_interval_s <= MAX_WORKER_INTERVAL_S:
        fix = "write e.g. `worker_interval_s: 0.001`"
        yield Problem(("delivery", "worker_interval_s"), "the worker looks at least every 0.02 s", fix)


def weaknesses(policy: Policy) -> Iterator[str]:
    """Yield in a sentence each what `policy` lets through that the built-in one does not."""
    yield from _weaknesses_of(policy.privacy)
    for each in policy.destinations:
        if each.privacy is not None and each.privacy != policy.privacy:
            known = set(_weaknesses_of(policy.privacy))
            yield from (
                f"{said} (destination {each.name})" for said in _weaknesses_of(each.privacy) if said not in known
            )
    if policy.identity_user.takes_emails:
        yield "`identity_user.takes_emails: true`: a user's id may be an e-mail address"
    if policy.identity_user.believes_browser:
        yield "`identity_user.believes_browser: true`: anybody may send events in the name of anybody"
    missing = USER_KEYS - policy.operational.user_keys
    if missing:
        yield f"`operational.user_keys` is without {_first_of(missing)}; `also_user_keys` adds to it"
    if not policy.operational.redact:
        yield "`operational.redact: false`: spans, logs and metrics go on as they are, but for product data"
    if policy.trace_template and urlsplit(policy.trace_template).username is not None:
        yield "`trace_url` has a user in it, who goes to PostHog with every event"


def is_attribute(name: str) -> bool:
    """Return whether `name` names an attribute of an object, or one of those inside one another."""
    return all(each.isidentifier() for each in name.split("."))


def _identity_user(user: IdentityUser) -> Iterator[Problem]:
    if user.attribute is not None and not is_attribute(user.attribute):
        fix = "write e.g. `attribute: uuid` or `attribute: profile.uuid`"
        yield Problem(("identity_user", "attribute"), "this is no name of an attribute", fix)


def _destinations(destinations: tuple[Destination, ...]) -> Iterator[Problem]:
    names: set[str] = set()
    if not destinations:
        yield Problem(("destinations",), "there is no destination", "leave `destinations` out, or list one")
    for index, each in enumerate(destinations):
        path: KeyPath = ("destinations", index)
        if each.name in names:
            yield Problem((*path, "name"), "two destinations have this name", "give each a `name:` of its own")
        names.add(each.name)
        if not is_url(each.host):
            yield Problem((*path, "host"), "a host must be a URL", "write e.g. `host: https://eu.i.posthog.com`")
        if each.api_key is not None and each.api_key_env is not None:
            yield Problem((*path, "api_key_env"), "a key is given twice", "write `api_key` or `api_key_env`")
        if each.api_key_env is not None and not _VARIABLE.fullmatch(each.api_key_env):
            fix = "write the variable's name, e.g. `api_key_env: VENDOR_POSTHOG_KEY`"
            yield Problem((*path, "api_key_env"), "this is no name of an environment variable", fix)
        if each.privacy is not None:
            yield from _privacy(each.privacy, (*path, "privacy"))
        if each.catalog is not None:
            yield from _catalog(each.catalog, (*path, "catalog"))


def _privacy(privacy: PrivacyPolicy, path: KeyPath) -> Iterator[Problem]:
    for name, method in privacy.detectors.items():
        if method is HitMethod.IP_PREFIX and name != "ip":
            yield Problem((*path, "detectors", name), "ip_prefix is for the detector ip", "write `mask` or `hmac`")
    for index, rule in enumerate(privacy.rules):
        yield from _rule(rule, (*path, "rules", index))
    yield from _never(privacy, path)
    yield from _hmac_key(privacy, path)


def _never(privacy: PrivacyPolicy, path: KeyPath) -> Iterator[Problem]:
    """Yield the keys and words that no key of an event can be."""
    for name in ("sensitive_keys", "id_keys"):
        for word in sorted(getattr(privacy, name)):
            yield from _word(word, (*path, name))
    for index, rule in enumerate(privacy.rules):
        for word in rule.words:
            yield from _word(word, (*path, "rules", index, "words"))
        for key in rule.keys:
            if len(key.replace("*", "")) > MAX_KEY_CHARS or not key.strip():
                problem = f"`{shortened(key)}` can never match: a key has 1 to {MAX_KEY_CHARS} characters"
                yield Problem((*path, "rules", index, "keys"), problem, "leave it out")
    for key in sorted(privacy.allow):
        if "*" in key:
            fix = "name each key; `allow` lets out, and a pattern would let out what nobody has looked at"
            yield Problem((*path, "allow"), f"`{shortened(key)}` can never match: `allow` takes whole keys", fix)
        elif key in NEVER_SENT or not key.strip():
            yield Problem((*path, "allow"), f"`{shortened(key)}` is never sent, whatever is allowed", "leave it out")


def _word(word: str, path: KeyPath) -> Iterator[Problem]:
    if not any(character.isalnum() for character in word):
        yield Problem(path, f"`{shortened(word)}` can never match: no key has such a word", "write letters or digits")
    elif "*" in word:
        fix = "leave the `*` out: a word is found wherever it stands in a key"
        yield Problem(path, f"`{shortened(word)}` can never match: words have no `*`", fix)
    elif len(word) > MAX_KEY_CHARS:
        yield Problem(path, f"`{shortened(word)}` can never match: it is longer than a key", "write a shorter one")


def _hmac_key(privacy: PrivacyPolicy, path: KeyPath) -> Iterator[Problem]:
    key = privacy.hmac_key
    if key is not None:
        yield from key_reference(key, (*path, "hmac_key"))
    elif privacy.hmac_secret is None:
        users: list[KeyPath] = [
            (*path, "detectors", name) for name, method in privacy.detectors.items() if method is HitMethod.HMAC
        ]
        users += [(*path, "rules", at) for at, rule in enumerate(privacy.rules) if rule.method is Method.HMAC]
        if users:
            fix = "write `hmac_key: {env: NAME}` under `privacy`, a variable with at least 32 bytes"
            yield Problem(users[0], "the method hmac needs a key", fix)


def key_reference(key: KeyReference, path: KeyPath) -> Iterator[Problem]:
    """Yield what cannot be meant in a reference to a secret key."""
    if (key.env is None) == (key.file is None):
        yield Problem(path, "a key is read from one place", "write `{env: NAME}` or `{file: path}`")
    elif key.env is not None and not _VARIABLE.fullmatch(key.env):
        yield Problem(
            (*path, "env"), "this is no name of an environment variable", "write e.g. `env: ANALYTICS_HMAC_KEY`"
        )


def _rule(rule: Rule, path: KeyPath) -> Iterator[Problem]:
    pattern = _TOKEN_NAME if rule.method is Method.HMAC else _RULE_NAME
    if not pattern.fullmatch(rule.name):
        letters = "lowercase letters and `_`" + ("" if pattern is _TOKEN_NAME else ", digits")
        yield Problem((*path, "name"), "a rule's name cannot be shown in counts", f"use {letters}, at most 32")
    if rule.detector is None and not rule.keys and not rule.words:
        yield Problem(path, "a rule picks nothing", "write `keys:`, `words:` or `detector:`")
    if rule.detector is not None:
        yield from _hit_rule(rule, path)
    if rule.method is Method.BUCKET and (not rule.bounds or any(a >= b for a, b in pairwise(rule.bounds))):
        yield Problem((*path, "method"), "bucket needs ascending bounds", "write e.g. `bounds: [10, 100, 1000]`")
    unused: Mapping[str, tuple[Method, object]] = {
        "bounds": (Method.BUCKET, ()),
        "keep_last": (Method.MASK, 0),
        "max_chars": (Method.TRUNCATE, Rule().max_chars),
    }
    for name, (method, default) in unused.items():
        if rule.method is not method and getattr(rule, name) != default:
            yield Problem((*path, name), f"{name} is for the method {method.value}", f"leave `{name}` out")


def _hit_rule(rule: Rule, path: KeyPath) -> Iterator[Problem]:
    if rule.method not in _HIT_METHODS:
        problem = f"{rule.method.value} would show a part of what a detector finds"
        fix = "write `replace`, `mask`, `hmac`, `drop` or `keep`, or leave `detector` out"
        yield Problem((*path, "method"), problem, fix)
    if rule.method is Method.IP_PREFIX and rule.detector != "ip":
        yield Problem((*path, "method"), "ip_prefix is for the detector ip", "write `mask` or `hmac`")
    if rule.keep_last:
        problem = "keep_last would show a part of what a detector finds"
        yield Problem((*path, "keep_last"), problem, "leave `keep_last` or `detector` out")


def _catalog(catalog: Catalog, path: KeyPath) -> Iterator[Problem]:
    if catalog.file is not None and PurePath(catalog.file).suffix not in {".yaml", ".yml", ".json"}:
        yield Problem((*path, "file"), "a catalog is a YAML file", "name one that ends in .yaml or .json")
    for name, event in catalog.events.items():
        yield from _properties(event.properties, (*path, "events", name, "properties"))
    yield from _properties(catalog.properties, (*path, "properties"))
    yield from _properties(catalog.person, (*path, "person"))
    for name, group in catalog.groups.items():
        at: KeyPath = (*path, "groups", name)
        if group.key is not None:
            yield from _property(group.key, (*at, "key"))
        yield from _properties(group.properties, (*at, "properties"))


def _properties(specs: Mapping[str, PropertySpec], path: KeyPath) -> Iterator[Problem]:
    for name, spec in specs.items():
        yield from _property(spec, (*path, name))


def _property(spec: PropertySpec, path: KeyPath) -> Iterator[Problem]:
    kind = spec.type
    if (kind is PropertyType.ENUM) != bool(spec.values):
        fix = "write `values: [...]`" if kind is PropertyType.ENUM else "write `type: enum`, or leave `values` out"
        yield Problem((*path, "values"), "enum and values go together", fix)
    if spec.pattern is not None:
        yield from _pattern(spec.pattern, kind, (*path, "pattern"))
    numeric = kind in {PropertyType.INT, PropertyType.FLOAT}
    if not numeric and (spec.min is not None or spec.max is not None):
        yield Problem(path, "min and max are for numbers", "write `type: int` or `type: float`")
    if spec.min is not None and spec.max is not None and spec.min > spec.max:
        yield Problem((*path, "min"), "min is above max", "swap them")
    if spec.items is not None:
        if kind is not PropertyType.LIST:
            yield Problem((*path, "items"), "items are for lists", "write `type: list`")
        elif spec.items.type is PropertyType.LIST:
            yield Problem((*path, "items"), "a list in a list cannot be declared", "declare a property for each")
        yield from _property(spec.items, (*path, "items"))


def _pattern(pattern: str, kind: PropertyType, path: KeyPath) -> Iterator[Problem]:
    if kind is not PropertyType.STRING:
        yield Problem(path, "a pattern is for strings", "write `type: string`")
    try:
        compile_pattern(pattern)
    except PatternError as error:
        yield Problem(path, error.problem, error.fix)


def _weaknesses_of(privacy: PrivacyPolicy) -> Iterator[str]:
    for name, built_in in (("sensitive_keys", SENSITIVE_KEYS), ("id_keys", ID_KEYS)):
        missing = built_in - getattr(privacy, name)
        if missing:
            yield f"`privacy.{name}` is without {_first_of(missing)}; `also_{name}` adds to it"
    off = {name for name in DETECTORS if privacy.detectors.get(name, HitMethod.OFF) is HitMethod.OFF}
    if off:
        yield f"the detectors {_first_of(off)} are off"
    further = privacy.allow - ALLOWED_TELEMETRY_KEYS
    users = {key for key in further if key in USER_KEYS or key.startswith(USER_KEY_PREFIXES)}
    if users:
        yield f"`privacy.allow` lets out {_first_of(users)}, by which telemetry names a user"
    for rule in privacy.rules:
        if rule.method is Method.KEEP and (_picks_all(rule.keys) or not (rule.keys or rule.words)):
            what = "everything" if rule.detector is None else f"whatever the detector {rule.detector} finds"
            yield f"the rule `{rule.name}` keeps {what} under every key"


def _picks_all(keys: tuple[str, ...]) -> bool:
    return any(not key.strip("*") for key in keys)


def _first_of(names: frozenset[str] | set[str]) -> str:
    shown = sorted(names)[:_NAMES_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(f"`{each}`" for each in shown) + more
