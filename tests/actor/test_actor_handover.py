"""What a task takes along of who acts, by identity mode: written, read back, and never more than the mode sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from events import ring
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog import user_context
from otel_posthog.actor.context import Baggage, use_baggage
from otel_posthog.actor.handover import DENIED, Sent, packed, read, use_handover, written
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.model import ContextIdentity, OpenConsent
from otel_posthog.policy import CollectionChoice, Destination, IdentityMode, Policy
from otel_posthog.setup import handover
from otel_posthog.setup.propagator import propagate_actor

PSEUDONYM = f"user-{'0' * 32}"


@pytest.fixture(autouse=True)
def _nothing_is_handed_over_afterwards() -> Iterator[None]:
    """No test leaves a process that hands anything over."""
    yield
    use_handover()
    use_baggage(Baggage())


def use(directory: Path, *modes: IdentityMode, health: Health | None = None, **policy: Any) -> CollectionChoice:
    """Hand over what a policy with a destination of each mode says."""
    destinations = tuple(
        Destination(name=f"to_{mode.value}", api_key=f"phc_{mode.value}", identity=mode) for mode in modes
    )
    choice = CollectionChoice(directory, lambda: 0.0)
    pseudonyms = Pseudonyms(keys=ring(), salts=DailySalts(directory))
    propagate_actor(Policy(destinations=destinations, **policy), pseudonyms, choice, Guard(health or Health()))
    return choice


def entries() -> dict[str, object]:
    """Return what a task that is sent from here takes along."""
    text = packed()
    return json.loads(text) if text is not None else {}


@pytest.mark.parametrize(
    ("modes", "keys"),
    [
        ((), set()),
        ((IdentityMode.UNLINKED,), set()),
        ((IdentityMode.INSTALLATION,), set()),
        ((IdentityMode.DAILY,), {"pseudonym"}),
        ((IdentityMode.PSEUDONYMOUS,), {"pseudonym"}),
        ((IdentityMode.IDENTIFIED,), {"user", "session", "groups"}),
        ((IdentityMode.DAILY, IdentityMode.PSEUDONYMOUS, IdentityMode.INSTALLATION), {"pseudonym"}),
        ((IdentityMode.INSTALLATION, IdentityMode.IDENTIFIED), {"user", "session", "groups"}),
    ],
)
def test_a_task_takes_along_what_the_mode_sends_and_no_more(
    modes: tuple[IdentityMode, ...], keys: set[str], tmp_path: Path
) -> None:
    """An id only where a destination gets ids; a pseudonym in its place elsewhere; consent in any mode."""
    use(tmp_path, *modes)
    assert entries() == {}
    with user_context("u-4711", consent=True, session_id="session-1", groups={"company": "acme-corp"}):
        found = entries()
    assert found.pop("consent") is True
    assert set(found) == keys
    if "user" not in keys:
        assert [each in json.dumps(found) for each in ("4711", "session-1", "acme")] == [False] * 3


def test_a_window_goes_along_with_ids_alone() -> None:
    """As a session does."""
    identity = ContextIdentity(user_id="u-4711", window_id="window-4711")
    assert written(identity, Sent(ids=True)) == '{"user":"u-4711","window":"window-4711"}'
    assert written(identity, Sent(pseudonym_of=lambda _: "p")) == '{"pseudonym":"p"}'


def test_the_pseudonym_is_one_of_the_day_where_no_destination_has_a_lasting_one(tmp_path: Path) -> None:
    """As in baggage; of a user whom another service sent a lasting pseudonym of, too."""
    use(tmp_path, IdentityMode.DAILY)
    with user_context("u-4711"):
        assert str(entries()["pseudonym"]).startswith("daily-")
    sent = Sent(pseudonym_of=lambda _: "daily", handed_on=lambda _: "handed on")
    assert written(ContextIdentity(pseudonym=PSEUDONYM), sent) == '{"pseudonym":"handed on"}'


@pytest.mark.parametrize(
    ("modes", "given", "handed"),
    [
        ((IdentityMode.PSEUDONYMOUS,), PSEUDONYM, PSEUDONYM),
        ((IdentityMode.IDENTIFIED,), PSEUDONYM, PSEUDONYM),
        ((IdentityMode.PSEUDONYMOUS,), f"daily-20261125-{'0' * 32}", None),
        ((IdentityMode.DAILY,), f"daily-20261125-{'0' * 32}", f"daily-20261125-{'0' * 32}"),
        ((IdentityMode.DAILY,), PSEUDONYM, "of the day"),
        ((IdentityMode.PSEUDONYMOUS,), "u-4711", None),
        ((IdentityMode.INSTALLATION,), PSEUDONYM, None),
    ],
)
def test_a_pseudonym_of_another_service_goes_on_as_far_as_the_mode_sends_it(
    modes: tuple[IdentityMode, ...], given: str, handed: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lasts does not go along where days are told apart only, and what is no pseudonym nowhere."""
    use(tmp_path, *modes)
    monkeypatch.setattr(handover, "acting", lambda: ContextIdentity(pseudonym=given))
    found = entries().get("pseudonym")
    assert str(found).startswith("daily-") if handed == "of the day" else found == handed


@pytest.mark.parametrize(
    "identity",
    [
        ContextIdentity(user_id="u-4711", consent=False),
        ContextIdentity(user_id="u-4711", denied=frozenset({"u-4711"})),
        ContextIdentity(user_id="u-4711", do_not_track=True),
        ContextIdentity(consent=False, consented=frozenset({"u-4711"}), session_id="session-1"),
    ],
)
def test_of_a_user_who_objects_the_denial_alone_goes_along(identity: ContextIdentity) -> None:
    """However it was said."""
    assert written(identity, Sent(ids=True)) == '{"consent":false}'
    assert read('{"consent":false}') == DENIED


def test_do_not_track_goes_along_where_it_is_heeded_only() -> None:
    """As the policy says of the header."""
    assert written(ContextIdentity(do_not_track=True), Sent(heeds_dnt=False)) is None


def test_after_an_opt_out_consent_alone_goes_along(tmp_path: Path) -> None:
    """Also in the middle of a run."""
    use(tmp_path, IdentityMode.IDENTIFIED).choose(enabled=False)
    with user_context("u-4711", consent=True):
        assert entries() == {"consent": True}


def test_what_cannot_be_written_is_a_denial_and_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that knew nothing would send events of a user who may have objected."""
    health = Health()
    use(tmp_path, IdentityMode.IDENTIFIED, health=health)
    monkeypatch.setattr(Guard, "reraise", False)
    monkeypatch.setattr(handover, "acting", lambda: 1 // 0)
    assert packed() == '{"consent":false}'
    assert health.snapshot() == {(FAULT, "handover:ZeroDivisionError"): 1}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", b"\xff", 4711, "[" * 100_000, '{"consent":"perhaps"}'])
def test_what_cannot_be_read_is_a_denial(text: object) -> None:
    """Whatever was meant, nobody knows whether it was one."""
    assert read(text) == DENIED


def test_nothing_that_went_along_says_nothing() -> None:
    """Of messages of programs without this package."""
    assert read(None) is None
    assert read("{}") == ContextIdentity()


IDS = st.none() | st.text(min_size=1).map(str.strip).filter(bool)


@given(
    user=IDS,
    session=IDS,
    window=IDS,
    groups=st.dictionaries(st.text(), st.text(min_size=1).map(str.strip).filter(bool), max_size=3),
    agrees=st.sampled_from(["nobody", "user", "anybody", "first"]),
)
def test_whoever_acts_in_the_worker_is_who_acted_where_the_task_was_sent(
    user: str | None, session: str | None, window: str | None, groups: dict[str, str], agrees: str
) -> None:
    """With every id that is sent as it is, and a consent that is the same user's."""
    identity = ContextIdentity(
        user_id=user,
        session_id=session,
        window_id=window,
        groups=groups,
        consent=True if agrees == "anybody" else None,
        consented=frozenset({user} if agrees == "user" and user else ()),
        open_consents=frozenset({OpenConsent()} if agrees == "first" else ()),
    )
    found = read(written(identity, Sent(ids=True))) or ContextIdentity()
    assert (found.user_id, found.session_id, found.window_id) == (user, session, window)
    assert (dict(found.groups), found.consent) == (groups, None)
    has_agreed = agrees in {"anybody", "first"} or (agrees == "user" and user is not None)
    assert (user in found.consented if user else bool(found.open_consents)) is has_agreed
