"""Policy files as nobody in their right mind, or somebody who means harm, would write them: one line, and at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from steps import Steps

from otel_posthog.errors import ConfigurationError, PolicyError
from otel_posthog.policy.yaml_file import MAX_BYTES, load_policy, parse_policy

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ODD = {
    "more digits than are read": f"version: {'9' * 5000}",
    "more than a float holds": f"delivery: {{flush_interval_s: {'9' * 400}}}",
    "no end": "delivery: {shutdown_timeout_s: .inf}",
    "no number": "delivery: {shutdown_timeout_s: .nan}",
    "longer than any system waits": "delivery: {shutdown_timeout_s: 1.0e+30}",
    "a size that nothing has": f"privacy: {{max_string_chars: {2**64}}}",
    "a digit that is none": "delivery: {max_batch_events: 0x_}",
    "a number of a tag": "delivery: {max_batch_events: !!int x}",
    "a truth of a tag": "operational: {redact: !!bool x}",
    "a day that no month has": "version: 2024-13-45",
    "a tag of Python's, called": "version: !!python/object/apply:os.system ['true']",
    "a tag of Python's, named": "version: !!python/name:os.system x",
    "a tag in a list": "privacy: {allow: !!set {a: null}}",
    "a tag that nobody knows": "version: !mine 1",
    "bytes": "trace_url: !!binary aGk=",
    "a list in itself": "a: &a [*a]",
    "a list that holds itself where one is read": "privacy: {allow: &a [*a]}",
    "a property of its own items": "catalog: {properties: {p: &a {type: list, items: *a}}}",
    "a map in itself": "&a catalog: &b {events: *b}",
    "a merge": "delivery: {<<: {max_batch_events: 3}}",
    "lists in lists": f"privacy: {{allow: {'[' * 4000}{']' * 4000}}}",
    "lists in lists that do not close": "[" * 100_000,
    "maps in maps": "{a: " * 4000 + "1" + "}" * 4000,
    "blocks in blocks": "\n".join(f"{' ' * depth}a:" for depth in range(900)),
    "keys that are lists": "? [a, b]\n: 1",
    "keys in keys": "? " * 3000 + "a",
    "aliases that multiply": LAUGHS,
    "aliases that multiply in a place that is read": f"{LAUGHS}privacy: {{allow: *i}}",
    "an alias of nothing": "version: *nothing",
    "two documents": "version: 1\n---\nversion: 1\n",
    "a key with a line in it": '"pri\\nvacy": 1',
    "a key that a terminal obeys": '"\\e]0;x\\a\\u202e": 1',
    "a key without end": f"{'k' * 900}: 1",
    "half a character": '"\\ud800": 1',
    "a width in a template": 'trace_url: "https://x/{trace_id:>99999999}"',
    "a width that is none": 'trace_url: "https://x/{trace_id:{trace_id}}"',
    "what Python knows of a text": 'trace_url: "https://x/{trace_id.__class__}"',
    "a template by number": 'trace_url: "https://x/{0}{}"',
    "a bracket in a template": 'trace_url: "https://x/{trace_id"',
}


def refused(read: Callable[[], object]) -> PolicyError:
    """Return the error that `read` raises."""
    with pytest.raises(PolicyError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_refused_in_one_line(name: str) -> None:
    """No traceback, no value of another language, no line of a terminal's: file, line, what is wrong, what to write."""
    message = str(refused(lambda: parse_policy(ODD[name], source="p.yaml")))
    assert message.startswith("p.yaml")
    assert message.isprintable()
    assert len(message) < 1000


def test_reading_takes_steps_in_proportion_to_the_file() -> None:
    """Aliases cost what they are written in, not what they stand for."""
    steps = Steps()
    plain = steps.of(lambda: refused(lambda: parse_policy("a: [x]\n" * 40, source="p.yaml")))
    laughs = steps.of(lambda: refused(lambda: parse_policy(LAUGHS, source="p.yaml")))
    many = "".join(f"a{at}: &a{at} {{{', '.join(f'k{n}: *a{at - 1}' for n in range(20))}}}\n" for at in range(1, 60))
    wide = steps.of(lambda: refused(lambda: parse_policy("a0: &a0 [x]\n" + many, source="p.yaml")))
    assert laughs < 20 * plain
    assert wide < 100 * plain


def test_a_file_of_any_size_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Neither a device that never ends nor a dump that somebody named by mistake fills the memory."""
    path = tmp_path / "p.yaml"
    path.write_text("#" * (MAX_BYTES + 1), encoding="utf-8")
    for each in (path, Path("/dev/zero")):
        assert "larger than" in str(refused(lambda each=each: load_policy(each)))  # type: ignore[misc]


def test_files_of_other_editors_are_read(tmp_path: Path) -> None:
    """With a mark of the byte order, and with the line ends of Windows."""
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\r\ntrace_url: 'https://x/{trace_id}'\r\n")
    assert load_policy(path).trace_url == "https://x/{trace_id}"


WORDS = "version privacy allow rules destinations catalog events &a *a !!int 1 x [ ] { } : , - ? | << null 0x .inf # %"
words = st.sampled_from([*WORDS.split(" "), "\n", "\n  ", " ", "'", '"', "@", "`"])


@given(st.lists(words, max_size=40).map("".join) | st.text(max_size=60))
@example("\U00018cd6:")
def test_whatever_a_file_says_it_is_a_policy_or_one_line(text: str) -> None:
    """Nothing but a `ConfigurationError` comes out of a file."""
    problem = ""
    try:
        parse_policy(text, source="p.yaml")
    except ConfigurationError as error:
        problem = str(error)
    assert problem.isprintable()


def test_what_a_policy_may_say_is_still_said() -> None:
    """Aliases and anchors that stand for something, dates and odd words where a text is wanted, large numbers."""
    policy = parse_policy(
        "delivery: {max_spool_bytes: 1099511627776, shutdown_timeout_s: 30}\n"
        "privacy: {also_allow: &keys [a.b, c.d], also_sensitive_keys: *keys}\n"
        "catalog: {properties: {day: {type: enum, values: [2024-01-01, yes, '=', <<]}}}\n",
        source="p.yaml",
    )
    assert policy.delivery.max_spool_bytes == 1024**4
    assert {"a.b", "c.d"} <= policy.privacy.sensitive_keys
    assert policy.catalog.properties["day"].values == ("2024-01-01", "yes", "=", "<<")
    assert yaml.safe_load("2024-01-01") is not None
