"""The keys of the mode `pseudonymous`: which are taken, which is used when, and that none is ever shown."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from pathlib import Path

import pytest
from events import KEY, NEXT_KEY, ring

from otel_posthog.errors import ConfigurationError
from otel_posthog.identity import read_keys
from otel_posthog.identity.keys import parse_keys
from otel_posthog.values import unix_ns

JULY_NS = unix_ns(datetime(2026, 7, 1, tzinfo=timezone.utc))


def secret_at(text: str, time_ns: int) -> str | None:
    """Return the key in `text` that is used at `time_ns`."""
    key = ring(text).at(time_ns)
    return None if key is None else key.secret.decode()


def test_a_key_alone_is_used_from_ever_on() -> None:
    """Also for events of before it was made."""
    assert [secret_at(KEY, time_ns) for time_ns in (0, JULY_NS)] == [KEY, KEY]


@pytest.mark.parametrize("since", ["2026-07-01", "2026-07-01T00:00:00Z", "2026-07-01T02:00:00+02:00"])
def test_a_key_is_used_from_its_time_to_the_nanosecond(since: str) -> None:
    """Whatever the order in the file; an event one nanosecond older has the key before."""
    text = f"# rotated in summer\n\n{since} {NEXT_KEY}\n{KEY}\n"
    assert secret_at(text, JULY_NS - 1) == KEY
    assert secret_at(text, JULY_NS) == NEXT_KEY


def test_before_the_first_time_there_is_no_key() -> None:
    """An event older than every key gets none: what was sent with a key that is gone cannot be matched by guessing."""
    assert secret_at(f"2026-07-01 {KEY}", JULY_NS - 1) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tooshort-" + "x" * 22, "keys:1: a key of 31 bytes; 32 are needed, make one with `openssl rand -hex 32`"),
        ("x" * 64, "keys:1: this key can be guessed"),
        ("", "keys has no key"),
        ("# nothing\n", "keys has no key"),
        (f"{KEY}\n{NEXT_KEY}", "keys:2: two keys begin at the same time"),
        (f"{KEY},{NEXT_KEY}", "keys:1: two keys begin at the same time"),
        (f"2026-07-01 {KEY}\n2026-07-01T00:00:00Z {NEXT_KEY}", "keys:2: two keys begin at the same time"),
        (f"July {KEY}", "keys:1: the time of a key cannot be read; write 2026-07-01 or 2026-07-01T12:00:00Z"),
        (f"2026-07-01T00:00:00 {KEY}", "keys:1: the time of a key cannot be read"),
        (f"2026-07-01 00:00 {KEY}", "keys:1: more than a time and a key"),
    ],
)
def test_a_key_that_cannot_be_one_is_one_line_without_the_key(text: str, words: str) -> None:
    """The line says where and what to write, and shows nothing of what stands there."""
    with pytest.raises(ConfigurationError) as caught:
        parse_keys(text, where="keys")
    said = str(caught.value)
    assert said.startswith(words)
    assert "\n" not in said
    for word in text.replace(",", " ").split():
        assert len(word) < 20 or word not in said


def test_keys_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """The environment wins over the policy's file; two places at once are a mistake; nothing is nothing."""
    path, other = tmp_path / "keys", tmp_path / "other"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    other.write_text(f"{NEXT_KEY}\n", encoding="utf-8")

    def secrets(environ: dict[str, str], file: str | None = None) -> list[str] | None:
        keys = read_keys(environ, file)
        return None if keys is None else [key.secret.decode() for key in keys.keys]

    assert secrets({}) is None
    assert secrets({}, str(path)) == [KEY]
    assert secrets({"OTEL_POSTHOG_IDENTITY_KEYS_FILE": str(other)}, str(path)) == [NEXT_KEY]
    assert secrets({"OTEL_POSTHOG_IDENTITY_KEYS": f"{KEY},2026-07-01 {NEXT_KEY}"}) == [KEY, NEXT_KEY]
    both = {"OTEL_POSTHOG_IDENTITY_KEYS": KEY, "OTEL_POSTHOG_IDENTITY_KEYS_FILE": str(path)}
    with pytest.raises(ConfigurationError, match="are both set; keep one"):
        read_keys(both, None)
    with pytest.raises(ConfigurationError, match="the key file cannot be read"):
        read_keys({}, str(tmp_path / "none"))
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigurationError, match="the key file is not text"):
        read_keys({}, str(path))


def test_no_key_is_shown() -> None:
    """Not by `repr`, `str` or a traceback's view of the ring and its keys."""
    keys = ring(f"{KEY},2026-07-01 {NEXT_KEY}")
    shown = f"{keys!r} {keys} {keys.keys!r} {[dataclasses.replace(key) for key in keys.keys]}"
    assert KEY not in shown
    assert NEXT_KEY not in shown
