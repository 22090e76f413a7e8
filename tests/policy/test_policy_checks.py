"""What a policy may not say: each mistake with its line and what to write instead, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_posthog.errors import ConfigurationError, PolicyError
from otel_posthog.policy import Destination, IdentityMode, Policy, PrivacyPolicy, Rule
from otel_posthog.policy.secrets import with_secrets
from otel_posthog.policy.sections.identity import IdentityUser
from otel_posthog.policy.yaml_file import files_of, load_policy, parse_policy
from otel_posthog.setup.settings import read_settings

HMAC_KEY = "write `hmac_key: {env: NAME}` under `privacy`, a variable with at least 32 bytes"
ALLOWED = "write `replace`, `mask`, `hmac`, `drop` or `keep`, or leave `detector` out"
VARIABLE = "write the variable's name, e.g. `api_key_env: VENDOR_POSTHOG_KEY`"
WORDS = (
    "use {db.operation.name}, {db.system.name}, {error.type}, {gen_ai.operation.name}, {gen_ai.provider.name}, "
    "{http.request.method}, {messaging.operation.type}, {messaging.system}, {rpc.method}, {rpc.system}"
)
NAME = "write `name:` with lowercase letters, digits and `_`, at most 32"
EVENT = "write `event:` and a name of at most 100 bytes that does not begin with `$`"
PROPERTY = "use letters, digits and `_`, at most 64; `user` and `session` say who"
KINDS = "server, consumer, client, producer, internal"
DERIVE = [
    ("{event: x, when: {status: [error]}}", f"a rule's name is shown in receipts; {NAME}"),
    ("{name: attribute, event: x, when: {status: [error]}}",
     "another rule has this name; give each a `name:` of its own"),
    ("{name: a, when: {status: [error]}}", f"an event needs a name of its own; {EVENT}"),
    ("{name: a, event: $set, when: {status: [error]}}", f"an event needs a name of its own; {EVENT}"),
    ("{name: a, event: 'x_{http.route}', when: {status: [error]}}",
     f"`http.route` cannot stand in a name: it may have many values; {WORDS}"),
    ("{name: a, event: 'x_{db.system.name!r}', when: {status: [error]}}",
     f"`db.system.name` cannot stand in a name: it may have many values; {WORDS}"),
    ("{name: a, event: x}", "a rule picks everything; write a condition under `when`"),
    ("{name: a, event: x, when: {kind: [web]}}", f"`kind` must be one of {KINDS}; write e.g. `kind: server`"),
    ("{name: a, event: x, when: {signal: log, status: [error]}}", "a log has no status; leave `status` out"),
    ("{name: a, event: x, when: {signal: span_event, min_duration_ms: 1}}",
     "a span_event has no min_duration_ms; leave `min_duration_ms` out"),
    ("{name: a, event: x, when: {event_name: [a]}}", "a span has no event_name; write `span_name`"),
    ("{name: a, event: x, when: {min_duration_ms: 2, max_duration_ms: 1}}",
     "min_duration_ms is above max_duration_ms; swap them"),
    ("{name: a, event: x, when: {attributes: {http.method: {equals: GET}}}}",
     "`http.method` is an older name; write `http.request.method`, which finds both"),
    ("{name: a, event: x, when: {attributes: {analytics.event: {present: true}}}}",
     "`analytics.event` is of the product side; name an attribute of the telemetry"),
    ("{name: a, event: x, when: {attributes: {a: {}}}}", "nothing is said of `a`; write e.g. `{present: true}`"),
    ("{name: a, event: x, when: {attributes: {a: {present: false, equals: b}}}}",
     "what is not there has no value; leave the rest out, or `present: false`"),
    ("{name: a, event: x, when: {resource: {a: {min: 2, max: 1}}}}", "min is above max; swap them"),
    ("{name: a, event: x, when: {status: [error]}, properties: {$set: a}}",
     f"`$set` cannot be the name of a property; {PROPERTY}"),
    ("{name: a, event: x, when: {status: [error]}, properties: {sql: db.query.text}}",
     "`db.query.text` is never sent: it holds whatever was written; leave it out"),
    ("{name: a, event: x, when: {status: [error]}, properties: {sql: db.statement}}",
     "`db.statement` is never sent: it holds whatever was written; leave it out"),
    ("{name: a, event: x, when: {signal: log, event_name: [a]}, properties: {ms: duration_ms}}",
     "a log has no duration_ms; leave it out"),
    ("{name: a, event: x, when: {status: [error]}, user: enduser.name, session: http.target}",
     "`http.target` is an older name; write `url.path`, which finds both"),
]  # fmt: skip
GOLDEN = [
    *((f"derive: {each}", "p.yaml:1: `derive` must be a list; write `derive: [..., ...]`")
      for each in ("a", "true", "{a: b}")),
    *((f"derive:\n  - {each}", f"p.yaml:2: {line}") for each, line in DERIVE),
    ("destinations: []", "p.yaml:1: there is no destination; leave `destinations` out, or list one"),
    ("destinations:\n  - name: a\n  - name: b\n    host: http://h\n  - host: http://h\n    name: a",
     "p.yaml:6: two destinations have this name; give each a `name:` of its own"),
    ("destinations:\n  - host: http://a\n  - host: http://b",
     "p.yaml:3: two destinations have this name; give each a `name:` of its own"),
    ("destinations:\n  - host: http://a\n  - name: default",
     "p.yaml:3: two destinations have this name; give each a `name:` of its own"),
    ("privacy:\n  detectors: {phone: ip_prefix}",
     "p.yaml:2: ip_prefix is for the detector ip; write `mask` or `hmac`"),
    ("privacy:\n  detectors:\n    email: hmac",
     f"p.yaml:3: the method hmac needs a key; {HMAC_KEY}"),
    ("privacy:\n  hmac_key: {env: A, file: b}",
     "p.yaml:2: a key is read from one place; write `{env: NAME}` or `{file: path}`"),
    ("privacy:\n  hmac_key: {env: a-b}",
     "p.yaml:2: this is no name of an environment variable; write e.g. `env: ANALYTICS_HMAC_KEY`"),
    ("privacy:\n  rules:\n    - method: drop",
     "p.yaml:3: a rule picks nothing; write `keys:`, `words:` or `detector:`"),
    ("privacy:\n  rules:\n    - keys: [a]\n      method: bucket",
     "p.yaml:4: bucket needs ascending bounds; write e.g. `bounds: [10, 100, 1000]`"),
    ("privacy:\n  rules:\n    - keys: [a]\n      method: bucket\n      bounds: [2, 1]",
     "p.yaml:4: bucket needs ascending bounds; write e.g. `bounds: [10, 100, 1000]`"),
    ("privacy:\n  rules:\n    - {detector: card,\n       method: truncate}",
     f"p.yaml:4: truncate would show a part of what a detector finds; {ALLOWED}"),
    ("privacy:\n  rules:\n    - {detector: card, method: mask, keep_last: 4}",
     "p.yaml:3: keep_last would show a part of what a detector finds; leave `keep_last` or `detector` out"),
    ("privacy:\n  rules:\n    - {keys: [a], method: drop, max_chars: 3}",
     "p.yaml:3: max_chars is for the method truncate; leave `max_chars` out"),
    ("privacy:\n  rules:\n    - {keys: [a], method: mask, keep_last: 5}",
     "p.yaml:3: `keep_last` must be a whole number from 0 to 4; write `keep_last:` and a whole number from 0 to 4"),
    ("privacy:\n  rules:\n    - {name: A b, keys: [a]}",
     "p.yaml:3: a rule's name cannot be shown in counts; use lowercase letters and `_`, digits, at most 32"),
    ("privacy:\n  rules:\n    - {keys: [a], detector: emial}",
     "p.yaml:3: detector `emial` does not exist; did you mean `email`?"),
    ("catalog:\n  events:\n    a:\n      properties:\n        b: {type: enum}",
     "p.yaml:5: enum and values go together; write `values: [...]`"),
    ("catalog:\n  events:\n    a:\n      properties:\n        b:\n          pattern: a+",
     "p.yaml:6: `+` at character 2 of a pattern is not known; write `{1,64}` for how many"),
    ("catalog:\n  properties:\n    b: {type: string, min: 1}",
     "p.yaml:3: min and max are for numbers; write `type: int` or `type: float`"),
    ("catalog:\n  person:\n    b: {type: int, min: 5, max: 1}", "p.yaml:3: min is above max; swap them"),
    ("catalog:\n  groups:\n    c:\n      key: {type: list, items: {type: list}}",
     "p.yaml:4: a list in a list cannot be declared; declare a property for each"),
    ("catalog: {file: events.txt}", "p.yaml:1: a catalog is a YAML file; name one that ends in .yaml or .json"),
    ("destinations:\n  - name: a\n    api_key: phc_x\n    api_key_env: X",
     "p.yaml:4: a key is given twice; write `api_key` or `api_key_env`"),
    ("destinations:\n  - name: a\n    api_key_env: 'phc_x y'",
     f"p.yaml:3: this is no name of an environment variable; {VARIABLE}"),
    ("destinations:\n  - name: a\n    catalog:\n      events: {a: {propertys: {}}}",
     "p.yaml:4: `propertys` is not a key of `a`; did you mean `properties`?"),
    ("destinations:\n  - name: a\n    privacy:\n      detectors: {email: hmac}",
     f"p.yaml:4: the method hmac needs a key; {HMAC_KEY}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), GOLDEN)
def test_each_mistake_has_its_line(text: str, line: str) -> None:
    """File, line, problem, fix; word for word, and never a value."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="p.yaml")
    assert str(caught.value) == line


def test_a_policy_made_in_python_is_checked_too() -> None:
    """The same mistakes, with the place as a path of fields."""
    with pytest.raises(PolicyError, match=r"policy: privacy\.rules\.0: a rule picks nothing"):
        read_settings({}, policy=Policy(privacy=PrivacyPolicy(rules=(Rule(),))))


def test_a_catalog_of_its_own_is_read_beneath_the_policys(tmp_path: Path) -> None:
    """Relative to the policy file; what the policy declares wins, and both files are watched."""
    (tmp_path / "c.yaml").write_text("events: {a: {description: theirs}, b: {}}\n", encoding="utf-8")
    path = tmp_path / "p.yaml"
    path.write_text("catalog: {mode: warn, file: c.yaml, events: {a: {description: ours}}}\n", encoding="utf-8")
    policy = load_policy(path)
    assert {name: spec.description for name, spec in policy.catalog.events.items()} == {"a": "ours", "b": ""}
    assert files_of(policy) == (str(path), str(tmp_path / "c.yaml"))


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "the catalog cannot be read"), ("file: d.yaml", "c.yaml:1: a catalog names no other"),
     ("events:\n  a: {properties: {b: {pattern: .}}}", "c.yaml:2: `.` at character 1"),
     ("- a", "c.yaml:1: a catalog must be a map")],
)  # fmt: skip
def test_a_broken_catalog_names_its_own_line(text: str | None, words: str, tmp_path: Path) -> None:
    """The file and line of the catalog, not of the policy that names it."""
    if text is not None:
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        parse_policy("catalog: {file: c.yaml}", source="p.yaml", directory=tmp_path)
    assert words in str(caught.value)


def test_a_destinations_privacy_is_read_on_top_of_the_policys() -> None:
    """Wherever in the file it stands, and only where it says something else."""
    text = "destinations:\n- {name: a, privacy: {max_depth: 2}}\n- {name: b}\nprivacy: {max_items: 7}\n"
    policy = parse_policy(text, source="p.yaml")
    first, second = map(policy.privacy_of, policy.destinations)
    assert (first.max_depth, first.max_items, second.max_depth, second.max_items) == (2, 7, 6, 7)


def test_secret_keys_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    """Both places, white space around a key not counted; nothing of them shows in a `repr`."""
    (tmp_path / "k").write_text("f" * 32 + "\n", encoding="utf-8")
    text = """
privacy: {hmac_key: {env: A}, detectors: {email: hmac}}
destinations:
- {name: a, api_key_env: KEY, privacy: {hmac_key: {file: k}}}
- {name: b, api_key_env: MISSING}
"""
    policy = parse_policy(text, source="p.yaml", directory=tmp_path)
    made = with_secrets(policy, {"A": "e" * 32, "KEY": "phc_one"})
    first, second = made.destinations
    assert made.privacy.hmac_secret == b"e" * 32
    assert made.privacy_of(first).hmac_secret == b"f" * 32
    assert (first.api_key, second.api_key) == ("phc_one", None)
    assert "eee" not in repr(made)
    assert "phc_one" not in repr(made)


@pytest.mark.parametrize(
    ("environ", "words"),
    [({}, "A is not set"), ({"A": "short"}, "A has 5 bytes; put a random key of at least 32 bytes there")],
)
def test_a_key_that_cannot_be_had_ends_the_start(environ: dict[str, str], words: str) -> None:
    """One line that names the variable and never what is in it."""
    policy = parse_policy("privacy: {hmac_key: {env: A}}", source="p.yaml")
    with pytest.raises(ConfigurationError) as caught:
        with_secrets(policy, environ)
    assert words in str(caught.value)
    assert "short" not in str(caught.value)


def test_the_environments_key_is_that_of_the_destination_without_one() -> None:
    """A vendor's key in the policy stays the vendor's; with one destination the environment wins."""
    two = Policy(destinations=(Destination("vendor", "phc_vendor"), Destination("operator")))
    assert [each.api_key for each in two.with_credentials("phc_env", None).destinations] == ["phc_vendor", "phc_env"]
    one = Policy(destinations=(Destination("vendor", "phc_vendor"),))
    assert one.with_credentials("phc_env", None).destinations[0].api_key == "phc_env"


@pytest.mark.parametrize(
    ("asked", "modes"),
    [
        (IdentityMode.IDENTIFIED, ["installation", "identified"]),
        (IdentityMode.INSTALLATION, ["installation", "installation"]),
        (IdentityMode.UNLINKED, ["unlinked", "unlinked"]),
    ],
)
def test_the_environment_never_has_a_destination_tell_more_than_it_says(asked: IdentityMode, modes: list[str]) -> None:
    """`identity: installation` of a vendor's destination holds whatever the operator sets for their own."""
    two = Policy(destinations=(Destination("vendor", identity=IdentityMode.INSTALLATION), Destination("operator")))
    made = two.with_identity(asked)
    assert [made.identity_of(each).value for each in made.destinations] == modes


@pytest.mark.parametrize(
    ("attribute", "is_one"), [("uuid", True), ("profile.uuid", True), ("a b", False), ("a..b", False)]
)
def test_the_attribute_of_a_user_is_a_name(attribute: str, is_one: bool) -> None:
    """In a policy and in the environment, which wins."""
    text = f"{{identity_user: {{attribute: '{attribute}'}}}}"
    environ = {"OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE": attribute}
    if is_one:
        assert parse_policy(text, source="p.yaml").identity_user.attribute == attribute
        settings = read_settings(environ, policy=Policy(identity_user=IdentityUser(attribute="pk")))
        assert settings.policy.identity_user.attribute == attribute
    else:
        with pytest.raises(PolicyError, match="this is no name of an attribute; write"):
            parse_policy(text, source="p.yaml")
        with pytest.raises(ConfigurationError, match="OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE is no name of an attribute"):
            read_settings(environ)
