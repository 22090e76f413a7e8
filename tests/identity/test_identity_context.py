"""Who acts, in context and in baggage: what is carried, what is believed, and that the id itself never is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from events import KEY, ring
from opentelemetry import baggage, trace
from opentelemetry import context as context_api
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagate import extract, get_global_textmap, inject, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from telemetry import Telemetry

from otel_posthog import set_user
from otel_posthog.actor import agreed
from otel_posthog.actor.context import (
    CONSENT_ENTRY,
    PSEUDONYM_ENTRY,
    Baggage,
    use_baggage,
    user_context,
)
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.intake import acting
from otel_posthog.model import ContextIdentity
from otel_posthog.policy import Carried, CollectionChoice, CollectionPolicy, Destination, IdentityMode, Policy
from otel_posthog.setup.propagator import propagate_actor

PSEUDONYM = f"user-{'0' * 32}"


@pytest.fixture(autouse=True)
def _baggage_is_off_afterwards() -> Iterator[None]:
    """No test leaves a process that carries anything."""
    before = get_global_textmap()
    yield
    use_baggage(Baggage())
    set_global_textmap(before)


def sent() -> dict[str, str]:
    """Return the headers that a client instrumentation would send."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def told(entry: str) -> object:
    """Return what an entry of baggage says to whoever is called."""
    return baggage.get_baggage(entry, extract(sent(), Context()))


def use(mode: IdentityMode, carried: Carried, directory: Path, *, keys: bool = True, **more: Any) -> CollectionChoice:
    """Have this process do with baggage what a policy of `mode` and `carried` says."""
    state = directory
    policy = Policy(identity=mode, identity_baggage=carried, destinations=(Destination(api_key="phc_test"),), **more)
    pseudonyms = Pseudonyms(keys=ring() if keys else None, salts=DailySalts(state))
    choice = CollectionChoice(state, lambda: 0.0)
    propagate_actor(policy, pseudonyms, choice, Guard(Health()))
    return choice


def test_nothing_is_sent_and_nothing_believed_unless_asked_for() -> None:
    """By default baggage stays as the app has it."""
    with user_context("u-4711", consent=False):
        assert "baggage" not in sent()
    context = extract({"baggage": f"{PSEUDONYM_ENTRY}={PSEUDONYM},{CONSENT_ENTRY}=false"})
    assert acting(context) is None


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
        found = told(PSEUDONYM_ENTRY)
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
        assert told(PSEUDONYM_ENTRY) is None


@pytest.mark.parametrize("user_id", [4711, uuid.UUID(int=4711)])
def test_an_id_may_be_a_number_or_a_uuid(user_id: int | uuid.UUID, tmp_path: Path) -> None:
    """As in `capture()`: whoever acts is the one whose id has that text, here and in baggage."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with user_context(str(user_id)):
        carried = told(PSEUDONYM_ENTRY)
    with user_context(user_id, session_id=user_id, groups={"company": user_id}):
        who = acting()
        assert who is not None
        assert (who.user_id, who.session_id, who.groups["company"]) == (str(user_id),) * 3
        assert told(PSEUDONYM_ENTRY) == carried is not None


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

    propagate_actor(policy, Broken(), CollectionChoice(tmp_path), Guard(health))
    with user_context("u-4711"):
        assert told(PSEUDONYM_ENTRY) is None
    assert health.snapshot() == {(FAULT, "baggage:RuntimeError"): 1}


def test_whoever_opted_out_is_carried_nowhere(tmp_path: Path) -> None:
    """Also in the middle of a run."""
    choice = use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    choice.choose(enabled=False)
    with user_context("u-4711"):
        assert "baggage" not in sent()


def test_the_next_service_reads_pseudonym_and_consent_back(tmp_path: Path) -> None:
    """From the header, where it was told to; an id of its own wins, a denial wins over everything."""
    use(IdentityMode.PSEUDONYMOUS, Carried.BOTH, tmp_path)
    context = extract({"baggage": f"{PSEUDONYM_ENTRY}={PSEUDONYM},{CONSENT_ENTRY}=true"})
    theirs = frozenset({PSEUDONYM})
    assert acting(context) == ContextIdentity(pseudonym=PSEUDONYM, consented=theirs)
    token = context_api.attach(context)
    try:
        with user_context(groups={"team": "a"}):
            assert acting() == ContextIdentity(groups={"team": "a"}, pseudonym=PSEUDONYM, consented=theirs)
            assert (told(PSEUDONYM_ENTRY), told(CONSENT_ENTRY)) == (PSEUDONYM, "true")
        with user_context("u1"):
            # Somebody else's pseudonym and consent do not go on beside the new user.
            assert acting() == ContextIdentity(user_id="u1", consented=theirs)
            assert (told(PSEUDONYM_ENTRY), told(CONSENT_ENTRY)) not in {(PSEUDONYM, None), (None, "true")}
        with user_context("u1", consent=False):
            assert acting() == ContextIdentity(user_id="u1", denied=frozenset({"u1"}), consented=theirs)
            assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"
    finally:
        context_api.detach(token)


@pytest.mark.parametrize("said", ["false", "no", "0", "", "FALSE", "perhaps"])
def test_a_consent_that_is_no_plain_yes_is_a_denial(said: str) -> None:
    """In baggage as everywhere."""
    use_baggage(Baggage(accepts=True))
    identity = acting(baggage.set_baggage(CONSENT_ENTRY, said))
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
        with user_context("u-4711", consent=False), user_context("u-4712"):
            assert PSEUDONYM_ENTRY in sent()["baggage"]
            assert told(CONSENT_ENTRY) is None


def test_a_denial_further_out_is_not_undone_further_in() -> None:
    """One of everybody holds for everybody; one of somebody for them, and the next user has a word of their own."""
    with user_context("u1"), user_context(consent=False), user_context("u2", consent=True):
        assert acting() == ContextIdentity(user_id="u2", consent=False, consented=frozenset({"u2"}))
    with user_context("u1", consent=False), user_context("u2", consent=True), user_context("u1", consent=True):
        assert acting() == ContextIdentity(user_id="u1", denied=frozenset({"u1"}), consented=frozenset({"u1", "u2"}))
    assert [agreed(None, None), agreed(None, True), agreed(True, False), agreed()] == [None, True, False, None]


def test_keys_are_needed_to_carry_a_lasting_pseudonym(tmp_path: Path) -> None:
    """Without a key an identified service sends none, rather than the id."""
    use(IdentityMode.IDENTIFIED, Carried.SEND, tmp_path, keys=False)
    with user_context(f"{KEY}-user"):
        assert "baggage" not in sent()


def denials() -> dict[str, Callable[[], object]]:
    """Return ways to object inside a request, by name."""
    span = trace.get_current_span()
    return {
        "Sec-GPC": lambda: span.set_attribute("http.request.header.sec_gpc", "1"),
        "DNT": lambda: span.set_attribute("http.request.header.dnt", "1"),
        "the request's span": lambda: span.set_attribute("analytics.consent", False),
        "set_user": lambda: set_user(consent=False),
        "set_user, by name": lambda: set_user("u-4711", consent=False),
    }


@pytest.mark.parametrize("mode", list(IdentityMode))
@pytest.mark.parametrize("denial", ["Sec-GPC", "DNT", "the request's span", "set_user", "set_user, by name"])
def test_a_denial_travels(denial: str, mode: IdentityMode, tmp_path: Path) -> None:
    """Before a user is known and after, from the request itself and from spans inside it: consent=false and no id."""
    use(mode, Carried.SEND, tmp_path)
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
        with user_context("u-4711"):
            assert "consent" not in sent().get("baggage", "")
            denials()[denial]()
            with app.tracer.start_as_current_span("call", kind=SpanKind.CLIENT):
                assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"
        assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"
    assert "baggage" not in sent()


def test_a_denial_of_an_inner_span_travels_from_inside_it(tmp_path: Path) -> None:
    """And from nowhere else."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
        set_user("u-4711")
        with app.tracer.start_as_current_span("private", attributes={"analytics.consent": False}):
            assert sent()["baggage"] == f"{CONSENT_ENTRY}=false"
        assert PSEUDONYM_ENTRY in sent()["baggage"]


def test_what_is_set_without_a_block_travels_too(tmp_path: Path) -> None:
    """`set_user()` and attributes of the request's span: the next service knows who acts, by the pseudonym."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with user_context("u-4711"):
        expected = told(PSEUDONYM_ENTRY)
    with Telemetry() as app:
        with app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
            set_user("u-4711", consent=True)
            assert (told(PSEUDONYM_ENTRY), told(CONSENT_ENTRY)) == (expected, "true")
            set_user("u-4712")
            assert told(PSEUDONYM_ENTRY) not in {expected, None}
            assert told(CONSENT_ENTRY) is None
        with app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={"enduser.id": "u-4711"}):
            assert told(PSEUDONYM_ENTRY) == expected


def test_dnt_travels_as_the_policy_heeds_it(tmp_path: Path) -> None:
    """Where it is no denial here, nothing is said of it to others."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path, collection=CollectionPolicy(heed_dnt=False))
    attributes = {"http.request.header.dnt": "1"}
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=attributes):
        set_user("u-4711")
        assert PSEUDONYM_ENTRY in sent()["baggage"]


def test_a_denial_that_came_goes_on_though_it_is_not_believed_here(tmp_path: Path) -> None:
    """A service that only sends does not turn somebody's no into its own pseudonym."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    token = context_api.attach(extract({"baggage": f"{CONSENT_ENTRY}=false,theirs=1"}))
    try:
        with user_context("u-4711"):
            assert sorted(sent()["baggage"].split(",")) == [f"{CONSENT_ENTRY}=false", "theirs=1"]
    finally:
        context_api.detach(token)


def test_a_program_may_set_its_propagator_at_any_time(tmp_path: Path) -> None:
    """Also one that holds what was there; what it does not propagate is not propagated."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    with Telemetry() as app:
        for propagator in (W3CBaggagePropagator(), CompositePropagator([get_global_textmap()])):
            set_global_textmap(propagator)
            with app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
                set_user("u-4711")
                assert PSEUDONYM_ENTRY in sent()["baggage"]
                assert PSEUDONYM_ENTRY not in str(baggage.get_all())
        set_global_textmap(TraceContextTextMapPropagator())
        with app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
            set_user("u-4711")
            assert sent().keys() == {"traceparent"}


def test_a_policy_that_no_longer_sends_sends_nothing(tmp_path: Path) -> None:
    """What stands before the program's propagator lets everything pass."""
    use(IdentityMode.PSEUDONYMOUS, Carried.SEND, tmp_path)
    use(IdentityMode.PSEUDONYMOUS, Carried.NONE, tmp_path)
    with user_context("u-4711", consent=False):
        assert "baggage" not in sent()
    assert get_global_textmap().fields == {"traceparent", "tracestate", "baggage"}


def test_the_same_users_consent_is_known_by_their_pseudonym(tmp_path: Path) -> None:
    """A user of this service for whom it sends the pseudonym that came is who gave the consent that came."""
    use(IdentityMode.PSEUDONYMOUS, Carried.BOTH, tmp_path)
    with user_context("u-4711", consent=True):
        header = sent()
    context = extract(header, Context())
    token = context_api.attach(context)
    try:
        for user, is_known in (("u-4711", True), ("u-4712", False)):
            with user_context(user):
                identity = acting()
                assert identity is not None
                assert (user in identity.consented) is is_known
    finally:
        context_api.detach(token)
