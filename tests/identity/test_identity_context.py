"""Who acts, in context and in baggage: what is carried, what is believed, and that the id itself never is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from events import KEY, ring
from opentelemetry import baggage
from opentelemetry import context as context_api
from opentelemetry.propagate import extract, inject

from otel_posthog.context import (
    CONSENT_ENTRY,
    PSEUDONYM_ENTRY,
    Baggage,
    agreed,
    current_identity,
    use_baggage,
    user_context,
)
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.model import ContextIdentity
from otel_posthog.policy import Carried, CollectionChoice, Destination, IdentityMode, Policy
from otel_posthog.setup.handing_on import hand_on

PSEUDONYM = f"user-{'0' * 32}"


@pytest.fixture(autouse=True)
def _baggage_is_off_afterwards() -> Iterator[None]:
    """No test leaves a process that carries anything."""
    yield
    use_baggage(Baggage())


def sent() -> dict[str, str]:
    """Return the headers that a client instrumentation would send."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def use(mode: IdentityMode, carried: Carried, directory: Path, *, keys: bool = True) -> CollectionChoice:
    """Have this process do with baggage what a policy of `mode` and `carried` says."""
    state = directory
    policy = Policy(identity=mode, identity_baggage=carried, destinations=(Destination(api_key="phc_test"),))
    pseudonyms = Pseudonyms(keys=ring() if keys else None, salts=DailySalts(state))
    choice = CollectionChoice(state, lambda: 0.0)
    hand_on(policy, pseudonyms, choice, Guard(Health()))
    return choice


def test_nothing_is_sent_and_nothing_believed_unless_asked_for() -> None:
    """By default baggage stays as the app has it."""
    with user_context("u-4711", consent=False):
        assert "baggage" not in sent()
    context = extract({"baggage": f"{PSEUDONYM_ENTRY}={PSEUDONYM},{CONSENT_ENTRY}=false"})
    assert current_identity(context) is None


@pytest.mark.parametrize(
    ("mode", "prefix"),
    [
        (IdentityMode.INSTALLATION, None),
        (IdentityMode.DAILY, "daily-"),
        (IdentityMode.PSEUDONYMOUS, "user-"),
        (IdentityMode.IDENTIFIED, "user-"),
    ],
)
def test_baggage_carries_the_pseudonym_of_the_mode_and_never_the_id(
    mode: IdentityMode, prefix: str | None, tmp_path: Path
) -> None:
    """Nothing where the mode has no such ids; the session and the groups stay here in any case."""
    use(mode, Carried.SEND, tmp_path)
    with user_context("u-4711", session_id="session-1", groups={"company": "acme-corp"}):
        header = sent().get("baggage", "")
        assert [each in header for each in ("4711", "session-1", "acme")] == [False] * 3
        found = baggage.get_baggage(PSEUDONYM_ENTRY)
    assert (found is None) if prefix is None else str(found).startswith(prefix)
    assert "baggage" not in sent()


@pytest.mark.parametrize("user_id", ["null", "", True, 1 << 5000, object()])
def test_an_id_that_is_none_is_not_carried_and_raises_nothing(
    user_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app goes on whatever it hands in."""
    monkeypatch.setattr(Guard, "reraise", False)
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with user_context(user_id):
        assert baggage.get_baggage(PSEUDONYM_ENTRY) is None


@pytest.mark.parametrize("user_id", [4711, uuid.UUID(int=4711)])
def test_an_id_may_be_a_number_or_a_uuid(user_id: int | uuid.UUID, tmp_path: Path) -> None:
    """As in `capture()`: whoever acts is the one whose id has that text, here and in baggage."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with user_context(str(user_id)):
        carried = baggage.get_baggage(PSEUDONYM_ENTRY)
    with user_context(user_id, session_id=user_id, groups={"company": user_id}):
        who = current_identity()
        assert who is not None
        assert (who.user_id, who.session_id, who.groups["company"]) == (str(user_id),) * 3
        assert baggage.get_baggage(PSEUDONYM_ENTRY) == carried is not None


def test_what_cannot_be_carried_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By place and type."""
    monkeypatch.setattr(Guard, "reraise", False)
    health = Health()
    policy = Policy(
        identity=IdentityMode.DAILY, identity_baggage=Carried.SEND, destinations=(Destination(api_key="phc_test"),)
    )

    class Broken(Pseudonyms):
        """Fails."""

        def daily(self, user_id: str, time_ns: int) -> str | None:
            """Raise."""
            raise RuntimeError(user_id)

    hand_on(policy, Broken(), CollectionChoice(tmp_path), Guard(health))
    with user_context("u-4711"):
        assert baggage.get_baggage(PSEUDONYM_ENTRY) is None
    assert health.snapshot() == {(FAULT, "baggage:RuntimeError"): 1}


def test_whoever_opted_out_is_carried_nowhere(tmp_path: Path) -> None:
    """Also in the middle of a run."""
    choice = use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    choice.choose(enabled=False)
    with user_context("u-4711"):
        assert "baggage" not in sent()


def test_the_next_service_reads_pseudonym_and_consent_back() -> None:
    """From the header, where it was told to; an id of its own wins, a denial wins over everything."""
    use_baggage(Baggage(accepts=True))
    context = extract({"baggage": f"{PSEUDONYM_ENTRY}={PSEUDONYM},{CONSENT_ENTRY}=true"})
    assert current_identity(context) == ContextIdentity(pseudonym=PSEUDONYM, consent=True)
    token = context_api.attach(context)
    try:
        with user_context(groups={"team": "a"}):
            assert current_identity() == ContextIdentity(groups={"team": "a"}, pseudonym=PSEUDONYM, consent=True)
        with user_context("u1", consent=False):
            assert current_identity() == ContextIdentity(user_id="u1", consent=False)
            # Somebody else's pseudonym does not go on beside the new user.
            assert PSEUDONYM not in sent()["baggage"]
    finally:
        context_api.detach(token)


@pytest.mark.parametrize("said", ["false", "no", "0", "", "FALSE", "perhaps"])
def test_a_consent_that_is_no_plain_yes_is_a_denial(said: str) -> None:
    """In baggage as everywhere."""
    use_baggage(Baggage(accepts=True))
    identity = current_identity(baggage.set_baggage(CONSENT_ENTRY, said))
    assert identity is not None
    assert identity.consent is False


def test_consent_is_carried(tmp_path: Path) -> None:
    """With or without a user."""
    use(IdentityMode.INSTALLATION, Carried.BOTH, tmp_path)
    for said in (True, False):
        with user_context(consent=said):
            assert sent()["baggage"] == f"{CONSENT_ENTRY}={str(said).lower()}"


def test_of_somebody_who_objects_nothing_is_carried_but_that(tmp_path: Path) -> None:
    """Neither a pseudonym of theirs, nor the one that stood in baggage before."""
    use(IdentityMode.PSEUDONYMOUS, Carried.BOTH, tmp_path)
    with user_context("u-4711"):
        assert PSEUDONYM_ENTRY in sent()["baggage"]
        with user_context(consent=False):
            assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"
            with user_context("u-4712"):
                assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"


def test_a_denial_further_out_is_not_undone_further_in() -> None:
    """A denial anywhere wins."""
    with user_context("u1", consent=False), user_context("u2", consent=True):
        assert current_identity() == ContextIdentity(user_id="u2", consent=False)
    assert [agreed(None, None), agreed(None, True), agreed(True, False), agreed()] == [None, True, False, None]


def test_keys_are_needed_to_carry_a_lasting_pseudonym(tmp_path: Path) -> None:
    """Without a key an identified service sends none, rather than the id."""
    use(IdentityMode.IDENTIFIED, Carried.SEND, tmp_path, keys=False)
    with user_context(f"{KEY}-user"):
        assert "baggage" not in sent()
