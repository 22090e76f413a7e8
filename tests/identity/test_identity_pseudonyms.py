"""Pseudonyms: stable, distinct, not joinable across kinds, and never the id itself."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import datetime, timezone

import pytest
from events import KEY, NEXT_KEY, NOON_NS, ring
from hypothesis import example, given
from hypothesis import strategies as st

from otel_posthog.identity import Pseudonyms
from otel_posthog.identity.pseudonyms import pseudonym_day
from otel_posthog.values import unix_ns

ROTATED_NS = unix_ns(datetime(2026, 7, 1, tzinfo=timezone.utc))
PSEUDONYMS = Pseudonyms(keys=ring(f"{KEY},2026-07-01 {NEXT_KEY}"))
IDS = st.text(min_size=1).filter(str.strip)


@given(IDS, st.integers(0, ROTATED_NS - 1), st.integers(0, ROTATED_NS - 1))
def test_the_same_user_has_the_same_id_as_long_as_the_key_is(user_id: str, early_ns: int, late_ns: int) -> None:
    """A replay of an event keeps its id, whenever it is translated."""
    assert PSEUDONYMS.user(user_id, early_ns) == PSEUDONYMS.user(user_id, late_ns)


@given(IDS)
def test_a_rotation_changes_every_id_at_its_time(user_id: str) -> None:
    """Before it the old key's, from it on the new key's: by the event's time, not by when it is translated."""
    before, after = PSEUDONYMS.user(user_id, ROTATED_NS - 1), PSEUDONYMS.user(user_id, ROTATED_NS)
    assert before != after
    assert before == Pseudonyms(keys=ring(KEY)).user(user_id, ROTATED_NS)
    assert after == Pseudonyms(keys=ring(NEXT_KEY)).user(user_id, 0)


@given(st.sets(IDS.map(str.strip), min_size=2, max_size=20))
@example({"1", "11", "111"})
def test_different_users_have_different_ids(user_ids: set[str]) -> None:
    """Whatever they look like."""
    assert len({PSEUDONYMS.user(each, 0) for each in user_ids}) == len(user_ids)


@given(IDS, st.text(max_size=5), st.text(max_size=5))
@example("1", "user", "team")
@example("7:company4711", "a", "b")
def test_kinds_cannot_be_joined(same: str, one_type: str, other_type: str) -> None:
    """A user, a session, and groups of two types with the same id have nothing in common."""
    found = [PSEUDONYMS.user(same, 0), PSEUDONYMS.group(one_type, same, 0), PSEUDONYMS.session(same, 0)]
    if one_type != other_type:
        found.append(PSEUDONYMS.group(other_type, same, 0))
    digits = [each.rpartition("-")[2] for each in found if each]
    assert len(set(digits)) == len(found)


def test_the_length_of_a_groups_type_counts() -> None:
    """No type and key can be cut so that two pairs give one pseudonym."""
    assert PSEUDONYMS.group("ab", "c", 0) != PSEUDONYMS.group("a", "bc", 0)
    assert PSEUDONYMS.group("a", "1:bc", 0) != PSEUDONYMS.group("a1:b", "c", 0)


@given(st.text(min_size=12).filter(lambda text: len(text.strip()) >= 12))
def test_a_pseudonym_never_contains_the_id(user_id: str) -> None:
    """Nor what is left of it without the blanks around."""
    for found in (PSEUDONYMS.user(user_id, 0), PSEUDONYMS.group("g", user_id, 0), PSEUDONYMS.session(user_id, 0)):
        assert found is not None
        assert user_id.strip() not in found


def test_it_is_the_documented_hmac() -> None:
    """Written out, so that an operator can compute it with any tool: HMAC-SHA-256 over `4:user` and the id."""
    # printf 4:user4711 | openssl dgst -sha256 -hmac "$KEY"
    code = (
        "import hmac, sys; key, text = sys.argv[1:]; "
        "print(hmac.new(key.encode(), text.encode(), 'sha256').hexdigest()[:32])"
    )

    def by_hand(text: str) -> str:
        done = subprocess.run([sys.executable, "-c", code, KEY, text], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert PSEUDONYMS.user(" 4711 ", 0) == f"user-{by_hand('4:user4711')}"
    assert PSEUDONYMS.group("company", "acme", 0) == f"group-{by_hand('5:group7:companyacme')}"
    assert PSEUDONYMS.session("s1", 0) == f"session-{by_hand('7:sessions1')}"


def test_without_a_key_nobody_is_told_apart() -> None:
    """Fail closed: no key for the time, no id."""
    late = Pseudonyms(keys=ring(f"2026-07-01 {KEY}"))
    for none in (Pseudonyms(), late):
        assert none.user("u1", NOON_NS) is None
        assert none.group("company", "acme", NOON_NS) is None
        assert none.session("s1", NOON_NS) is None


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_a_session_that_posthog_takes_stays_one_and_keeps_its_minute_only(started_ms: int, random: int) -> None:
    """The random part is replaced, the time is cut to the minute, never later than it was."""
    value = started_ms << 80 | 7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    session_id = str(uuid.UUID(int=value))
    found = PSEUDONYMS.session(session_id, 0)
    assert found == PSEUDONYMS.session(session_id, 0)
    parsed = uuid.UUID(found)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == started_ms - started_ms % 60_000
    assert parsed.int & (1 << 62) - 1 != value & (1 << 62) - 1


@pytest.mark.parametrize("session_id", ["abc", "6f1b2c3d-1111-4222-8333-444455556666"])
def test_any_other_session_is_a_hash(session_id: str) -> None:
    """An id that is no UUIDv7 has nothing that PostHog needs of it."""
    found = PSEUDONYMS.session(session_id, 0)
    assert found is not None
    assert found.startswith("session-")
    assert session_id not in found


def test_only_a_pseudonym_has_the_form_of_one() -> None:
    """What another service sends is believed only if it looks like what this package makes."""
    user = PSEUDONYMS.user("u1", 0)
    assert user is not None
    assert pseudonym_day(user) == ""
    assert pseudonym_day(f"daily-20260102-{'0' * 32}") == "20260102"
    for other in (
        "",
        "u1",
        f"{user}0",
        f"x{user}",
        f"{user}\n",
        user.upper(),
        f"daily-2026-{'0' * 32}",
        "group-" + "0" * 32,
    ):
        assert pseudonym_day(other) is None
