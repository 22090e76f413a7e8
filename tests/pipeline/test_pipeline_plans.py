"""Plans: an event that passes by the plan of its shape is the event that goes the plain way, byte for byte."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from clean import TIME_NS
from events import ring
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog import plans
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.model import CleanEvent, ContextIdentity, Flag, OpenConsent, Signal, Source
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    CollectionPolicy,
    DeliveryPolicy,
    Destination,
    EventSpec,
    HitMethod,
    IdentityMode,
    Method,
    Policy,
    PrivacyPolicy,
    PropertySpec,
    PropertyType,
    Rule,
)
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.sections.trace_url import TraceUrl
from otel_posthog.stages import Outcome, Stages, clean_events, drop_reasons, with_events

USER, UUID_USER = "u-4711/Ada", "6F9619FF-8B86-D011-B42D-00C04FC964FF"
NAMES = ["order_submitted", "$pageview", "$identify", "u-4711/ada viewed", "write to ada@example.org", "", "exception"]
NAMES += ["$feature_flag_called"]
KEYS = [
    *("analytics.plan", "analytics.property.plan", "analytics.property.total", "analytics.property.is_new"),
    *("analytics.property.note", "analytics.property.card", "analytics.property.email", "analytics.property.$lib"),
    *("analytics.property.value", "analytics.property.name", "analytics.property.x", "analytics.property.y"),
    *("analytics.property.session_id", "analytics.property.$set", "analytics.property.$groups", "analytics."),
    *("analytics.property.distinct_id", "analytics.property.token_count", "analytics.property.4711"),
    *(
        "analytics.property.page_url",
        "analytics.property.trace_url",
        "analytics.property.trace_sampled",
        "analytics.property.phone",
        "analytics.uuid",
    ),
    *("analytics.user.id", "analytics.session.id", "analytics.group.company", "analytics.group.set.company.size"),
    *("analytics.user.set.plan", "analytics.user.set_once.since", "analytics.user.alias", "analytics.consent"),
    *("analytics.journey.id", "analytics.property.journey_id", "analytics.posthog.destinations"),
    *("analytics.timestamp", "http.route", "url.path", "http.request.method", "http.response.status_code"),
    *("analytics.window.id", "window.id", "analytics.property.$window_id", "analytics.property.window_id"),
    *("feature_flag.key", "feature_flag.result.variant"),
    *("user.id", "http.request.header.sec-gpc", "exception.type", "exception.message", "error.type", "db.system.name"),
]
TEXTS = [
    *("", "team", "a short text of some words", "ada@example.org", "4111 1111 1111 1111", "+49 151 2345 6789", USER),
    *(UUID_USER, "6f9619ff8b86d011b42d00c04fc964ff", "/u/u-4711%2FAda/x", "Grüße an ΣΊΣΥΦΟΣ", "İstanbul", '{"a": 1}'),
    *("[1, 2]", "/users/<name>", "/users/ada", "true", "12345678", "4711", "x" * 130, "half \ud800 of it", '"\\\x00\n'),
    *("password=hunter2secret", "[email]", "sess-0815", "Acme GmbH", "2026-11-25T12:00:00Z", "acme-company-key", "1"),
]
VALUES = st.one_of(
    st.sampled_from(TEXTS),
    st.booleans(),
    st.sampled_from([0, 1, -1, 4711, 12345678, 10**12, 4111111111111111, 2**63, 2**64, -(2**70)]),
    st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e-07, 1e22, 4711.0, 4111111111111111.0, float("nan"), float("inf")]),
    st.sampled_from(
        [None, (), ("a", "b"), ["ada@example.org"], (1, True), {"a": 1}, b"bytes", b"\xff", uuid.UUID(int=1)]
    ),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
)
EASY = st.dictionaries(
    st.sampled_from(
        [
            each
            for each in KEYS
            if each.endswith(
                (
                    "plan",
                    "total",
                    "is_new",
                    "note",
                    "url",
                    "4711",
                    "status_code",
                    "value",
                    "x",
                    "route",
                    "user.id",
                    "group.company",
                    "session.id",
                    "window.id",
                    "uuid",
                )
            )
        ]
    ),
    st.one_of(
        st.sampled_from(["team", "a short text", USER, "/users"]), st.booleans(), st.integers(0, 9), st.just(1.5)
    ),
    max_size=8,
)
CONTEXTS = st.one_of(
    st.none(),
    st.builds(
        lambda user, session, window, groups, consent, denied, consented, opened, pseudonym, other: ContextIdentity(
            user_id=user,
            session_id=session,
            window_id=window,
            groups=groups,
            consent=consent,
            denied=denied,
            consented=consented,
            open_consents=frozenset({OpenConsent()}) if opened else frozenset(),
            pseudonym=pseudonym,
            other_ids=other,
        ),
        st.sampled_from([None, USER, UUID_USER, "12345678", "4711", " ", "anonymous", "u" * 300]),
        st.sampled_from([None, "sess-0815", "0199d3a0-0000-7000-8000-000000000001", "ada@example.org"]),
        st.sampled_from([None, "sess-0815", "tab-4711-of-ada", "ada@example.org", " "]),
        st.sampled_from([{}, {"company": "acme-company-key"}, {"ada@example.org": "x"}, {"company": ""}]),
        st.sampled_from([None, True, False]),
        st.sampled_from([frozenset(), frozenset({USER})]),
        st.sampled_from([frozenset(), frozenset({USER})]),
        st.booleans(),
        st.sampled_from([None, "a-pseudonym"]),
        st.sampled_from([(), (("user", "12345678"),)]),
    ),
)
FLAGS = (Flag("new-cart", response=True, user_id="u-4711/Ada", time_ns=TIME_NS), Flag("b", "x", None, TIME_NS))
SIGNALS = st.builds(
    lambda source, name, attributes, parent, resource, context, time_ns, ids, rest: Signal(
        source, name, attributes, time_ns, ids[0], ids[1], resource, context, time_ns, parent=parent, **rest
    ),
    st.sampled_from(Source),
    st.one_of(st.sampled_from(NAMES[:2]), st.sampled_from(NAMES[:2]), st.sampled_from(NAMES), st.text(max_size=5)),
    st.one_of(
        EASY,
        EASY,
        st.dictionaries(
            st.one_of(st.sampled_from(KEYS), st.text(max_size=4).map("analytics.".__add__)), VALUES, max_size=8
        ),
    ),
    st.one_of(st.just({}), EASY, st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=2)),
    st.one_of(
        st.just({"service.name": "shop"}),
        st.dictionaries(st.sampled_from(["service.name", "user.id", "enduser.id", "http.route"]), VALUES, max_size=3),
    ),
    CONTEXTS,
    st.sampled_from([TIME_NS, TIME_NS, TIME_NS + 1, 0]),
    st.sampled_from([(0, 0), (1, 2)]),
    st.sampled_from(
        [
            {},
            {"repeat_index": 1},
            {"dropped_attributes": 1},
            {"uid": b"\x01" * 32},
            {"flags": FLAGS},
            {"is_sampled": False},
        ]
    ),
)
SPECS = FrozenMap(
    {
        "plan": PropertySpec(PropertyType.ENUM, values=("team", "1")),
        "total": PropertySpec(PropertyType.FLOAT, max=5000.0),
        "is_new": PropertySpec(PropertyType.BOOL),
        "note": PropertySpec(max_chars=30),
        "http.route": PropertySpec(),
    }
)
PRIVACY = st.builds(
    lambda detectors, rules, words, chars, properties, keys: PrivacyPolicy(
        detectors=detectors,
        rules=rules,
        sensitive_keys=PrivacyPolicy().sensitive_keys | words,
        allow=PrivacyPolicy().allow | keys,
        max_string_chars=chars,
        max_properties=properties,
        hmac_secret=b"k" * 32,
    ),
    st.sampled_from(
        [
            PrivacyPolicy().detectors,
            FrozenMap({"email": HitMethod.DROP, "card": HitMethod.MASK}),
            FrozenMap({"phone": HitMethod.HMAC}),
        ]
    ),
    st.sampled_from([(), (Rule("r", keys=("note",), method=Method.TRUNCATE, max_chars=3),)]),
    st.sampled_from([frozenset[str](), frozenset({"plan"})]),
    st.sampled_from([8192, 40, 6]),
    st.sampled_from([500, 3]),
    st.sampled_from([frozenset[str](), frozenset({"user.id", "error.type"})]),
)


TRACE_URLS = (
    None,
    "https://grafana.example.org/{trace_id}/{span_id}?q=ä&from={from_ms}",
    TraceUrl(grafana="https://grafana.example.org", datasource="tempo"),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy of one or two destinations."""
    mode = draw(st.sampled_from(list(CatalogMode)))
    catalog = Catalog(mode=mode, events=FrozenMap({"order_submitted": EventSpec(properties=SPECS)}), properties=SPECS)
    second = Destination("second", "phc_b", identity=draw(st.sampled_from(IdentityMode)), privacy=draw(PRIVACY))
    return Policy(
        identity=draw(st.sampled_from(IdentityMode)),
        privacy=draw(PRIVACY),
        catalog=catalog,
        collection=CollectionPolicy(consent_required=draw(st.booleans())),
        delivery=DeliveryPolicy(max_event_bytes=draw(st.sampled_from([900 * 1024, 900 * 1024, 400]))),
        trace_url=draw(st.sampled_from(TRACE_URLS)),
        destinations=(Destination(api_key="phc_a"), *([second] if draw(st.booleans()) else [])),
    )


def stages(policy: Policy, health: Health) -> Stages:
    """Return the stages under `policy`."""
    made = Pseudonyms(keys=ring())
    guard, limits = Guard(health), Limits(policy)
    return Stages(policy, installation_id="inst-1", health=health, guard=guard, pseudonyms=made, limits=limits)


def plain(under: Stages, signal: Signal) -> tuple[list[CleanEvent], list[str]]:
    """Return what becomes of a signal without plans."""
    outcomes = under.outcomes(signal)
    return [each.clean for each in outcomes if each.clean], [each.reason for each in outcomes if each.clean is None]


def counts(health: Health) -> tuple[Mapping[Any, int], Mapping[Any, int]]:
    """Return all that was counted."""
    return health.snapshot(), health.actions()


@settings(max_examples=150)
@given(policies(), st.lists(SIGNALS, min_size=1, max_size=4), st.lists(VALUES, min_size=8, max_size=8))
def test_a_planned_event_is_the_plain_one(policy: Policy, signals: list[Signal], values: list[Any]) -> None:
    """The same bytes, reasons and counts, for every policy, whoever acts and whatever values come under the keys."""
    with_plans, without = Health(), Health()
    planned, by_itself = stages(policy, with_plans), stages(policy, without)
    others = [
        each._replace(
            attributes=dict(zip(each.attributes, values, strict=False)) | dict(list(each.attributes.items())[8:])
        )
        for each in signals
    ]
    for signal in [*signals, *signals, *others, *signals]:
        assert planned.cleaned(signal) == plain(by_itself, signal)
    assert counts(with_plans) == counts(without)


@settings(max_examples=150)
@given(policies(), st.lists(SIGNALS, min_size=1, max_size=4), st.lists(VALUES, min_size=8, max_size=8))
def test_who_looks_on_sees_of_a_plan_what_was_sent(policy: Policy, signals: list[Signal], values: list[Any]) -> None:
    """The very bytes, reason and receipt, and the event as it was before the filters, where that is asked for later."""
    with_plans, without = Health(), Health()
    planned, by_itself = stages(policy, with_plans), stages(policy, without)
    others = [each._replace(attributes=dict(zip(each.attributes, values, strict=False))) for each in signals]
    given = [*signals, *signals, *others, *signals]
    seen: list[Sequence[Outcome]] = []
    for signal in given:
        made, reasons = planned.cleaned(signal, seen.append)
        assert (made, reasons) == (clean_events(seen[-1]), drop_reasons(seen[-1]))
    assert [with_events(each) for each in seen] == [by_itself.outcomes(signal) for signal in given]
    assert counts(with_plans) == counts(without)


@pytest.mark.parametrize(
    ("name", "attributes", "flags"),
    [
        ("order_submitted", {"analytics.plan": "team"}, FLAGS),
        ("$feature_flag_called", {"feature_flag.key": "a", "feature_flag.result.variant": "x"}, ()),
    ],
)
def test_what_a_feature_flag_said_is_in_no_plan(name: str, attributes: dict[str, Any], flags: tuple[Flag, ...]) -> None:
    """Neither on later events, whose keys may be those of others, nor on its own."""
    policy = Policy(identity=IdentityMode.IDENTIFIED, destinations=(Destination(api_key="phc_a"),))
    planned, by_itself = stages(policy, Health()), stages(policy, Health())
    signal = Signal(Source.LOG, name, attributes, TIME_NS)
    for each in (signal, signal, signal, signal._replace(flags=flags)):
        (made,), _ = planned.cleaned(each)
        assert ([made], []) == plain(by_itself, each)
    assert b"$feature/" in made.body


HOSTILE: list[Any] = [
    *TEXTS,
    *(
        0,
        True,
        False,
        1,
        1.0,
        4711,
        12345678,
        12345678.0,
        4111111111111111,
        4111111111111111.0,
        10**12,
        2**64,
        -(2**70),
    ),
    *(float("nan"), float("inf"), 1e-07, 1e22, -0.0, None, (), ("a", "b"), (1, True), {"a": 1}, b"bytes", b"\xff"),
    *(
        "%75-4711%2Fada",
        "see U-4711/ADA",
        "{6F9619FF8B86D011B42D00C04FC964FF}",
        "  12345678 ",
        "0012345678",
        "[session]",
    ),
    *('{"password": "open sesame"}', '{"user": {"id": "abc"}}', "[52.5200, 13.4050]"),
    *("of another-4711", "in journey-1", "in tab-4711-of-ada"),
    *(" 1 ", "Acme-Company-Key", "user/<token>", "x" * 9000, "4711" * 3000),
]
POLICIES = [
    *(Policy(identity=mode, destinations=(Destination(api_key="phc_a"),)) for mode in IdentityMode),
    Policy(
        destinations=(Destination(api_key="phc_a"), Destination("b", "phc_b", identity=IdentityMode.IDENTIFIED)),
        catalog=Catalog(
            mode=CatalogMode.ENFORCE, events=FrozenMap({"e": EventSpec(properties=SPECS)}), properties=SPECS
        ),
        trace_url="https://grafana.example.org/{trace_id}",
    ),
    Policy(
        destinations=(Destination(api_key="phc_a"),),
        collection=CollectionPolicy(consent_required=True),
        privacy=PrivacyPolicy(max_string_chars=20, max_properties=4),
        delivery=DeliveryPolicy(max_event_bytes=400),
    ),
    Policy(
        destinations=(Destination(api_key="phc_a"),),
        privacy=PrivacyPolicy(allow=PrivacyPolicy().allow | {"url.path"}),
    ),
]


ACTING = [
    pair
    for number, policy in enumerate(POLICIES)
    for pair in ((policy, USER), (policy, (UUID_USER, "12345678", "4711", None)[number % 4]))
]


@pytest.mark.parametrize(("policy", "user"), ACTING, ids=range(len(ACTING)))
def test_no_value_passes_that_does_not_leave_as_it_is(policy: Policy, user: str | None) -> None:
    """Each value under each key of a shape that is known, whoever acts: what the plan knows may not hold for it."""
    names = ("note", "plan", "total", "value", "page_url", "4711", "x")
    for keys in (
        names,
        names[:1],
        names[:3],
        (names[0], "y", "x"),
        (names[3], "name"),
        ("$lib", "note"),
        ("trace_url",),
        ("trace_sampled", "note"),
        ("journey_id", "note"),
        ("window_id", "note"),
        ("exception.message", "$exception_level"),
        ("session_id", "$trace_id"),
        ("$ip",),
    ):
        with_plans, without = Health(), Health()
        planned, by_itself = stages(policy, with_plans), stages(policy, without)
        for number, key, value in [(number, keys[0], "text") for number in range(3)] + [
            (number, key, value) for number, value in enumerate(HOSTILE) for key in keys
        ]:
            attributes = {f"analytics.property.{each}": "text" for each in keys} | {
                "http.route": value if key == "note" else "/orders",
                "url.path": "/orders/ada",
                f"analytics.property.{key}": value,
            }
            consent = None if number % 3 else number % 2 == 0
            groups = {"company": "" if number % 3 == 1 else "acme-company-key"}
            others = (("user", "another-4711"),)
            context = ContextIdentity(user, "sess-0815", groups=groups, consent=consent, other_ids=others)
            parent = {"http.request.method": value} if number % 5 == 0 else {}
            if keys[0] == "journey_id":
                attributes["analytics.journey.id"] = "journey-1"
            if keys[0] == "window_id":
                attributes["analytics.window.id"] = "tab-4711-of-ada"
            if keys[0] == "note" and len(keys) == 3:
                attributes["analytics.posthog.destinations"] = ("b", "default")[number % 2]
            dropped = int(number % 7 == 0)
            given = Signal(
                Source.SPAN_EVENT, "e", attributes, TIME_NS + number, 1, 2, {"service.name": "shop"}, context
            )
            given = given._replace(parent=parent, dropped_attributes=dropped, is_sampled=number % 2 == 0)
            assert planned.cleaned(given) == plain(by_itself, given), (key, value)
        assert counts(with_plans) == counts(without)


def ordinary(number: int, **attributes: Any) -> Signal:
    """Return an event of a call site; no two are alike but in their keys."""
    given = {
        "analytics.property.plan": ["team", "free"][number % 2],
        "analytics.property.total": number * 1.5,
        "analytics.property.items": number,
        "analytics.property.is_new": number % 2 == 0,
        "analytics.property.note": f"the note number {number} is a text",
        "http.request.method": "POST",
        "http.route": "/orders",
        **attributes,
    }
    context = ContextIdentity(user_id=f"user-{number}-of-the-shop", groups={"company": "acme-company"}, consent=True)
    return Signal(Source.SPAN, "order_submitted", given, TIME_NS + number, 1, 2, {"service.name": "shop"}, context)


@pytest.mark.parametrize("mode", IdentityMode)
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"analytics.uuid": "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
        {"analytics.window.id": "tab-4711", "window.id": "tab-4712"},
        {"analytics.user.id": "somebody-else", "analytics.session.id": "0199d3a0-0000-7000-8000-000000000001"},
        {"analytics.group.company": "another-company", "analytics.user.set.plan": "pro"},
        {"analytics.property.$set": {"plan": "pro"}, "analytics.property.distinct_id": "by-a-library"},
        {"http.request.header.sec_gpc": ("0",), "user.id": "of-contrib"},
    ],
    ids=["alone", "uuid", "window", "user and session", "group and person", "library", "headers"],
)
def test_events_of_common_set_ups_pass_by_plan(attributes: dict[str, Any], mode: IdentityMode) -> None:
    """Sessions, groups, persons, a catalog and the uuid of `capture()` take no event off the fast way."""
    specs = {
        **SPECS,
        "items": PropertySpec(PropertyType.INT),
        "plan": PropertySpec(),
        "total": PropertySpec(PropertyType.FLOAT),
    }
    catalog = Catalog(
        mode=CatalogMode.WARN, events=FrozenMap({"order_submitted": EventSpec(properties=FrozenMap(specs))})
    )
    policy = Policy(identity=mode, catalog=catalog, destinations=(Destination(api_key="phc_a"),))
    under = stages(policy, Health())
    made = [under._plans.planned(ordinary(number, **attributes)) for number in range(4)]  # type: ignore[union-attr]
    assert [each is not None for each in made] == [False, True, True, True]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that are new in every event make no plans, and neither plans nor texts grow for ever."""
    monkeypatch.setattr(plans, "MAX_PLANS", 8)
    monkeypatch.setattr(plans, "MAX_TEXTS", 16)
    made = stages(Policy(destinations=(Destination(api_key="phc_a"),)), Health())._plans
    assert made is not None
    for number in range(50):
        made.planned(ordinary(number, **{f"analytics.property.k{number}": number}))
    assert not made._plans
    for number in range(200):
        made.planned(ordinary(number, **{f"analytics.property.k{number // 10}": f"a text of the number {number}"}))
        assert len(made._plans) <= 8
        assert sum(map(len, made._known.values())) <= 16
    assert made._plans


def test_a_text_with_an_id_in_it_is_not_remembered() -> None:
    """No more than anywhere else is an id kept in memory."""
    made = stages(Policy(destinations=(Destination(api_key="phc_a"),)), Health())._plans
    assert made is not None
    for _ in range(3):
        made.planned(ordinary(7, **{"analytics.property.note": "for user-7-of-the-shop alone"}))
    assert not any("user-7" in text for known in made._known.values() for text in known)


def test_a_plan_that_fails_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and the event goes the plain way."""
    monkeypatch.setattr(Guard, "reraise", False)
    health = Health()
    under = stages(Policy(destinations=(Destination(api_key="phc_a"),)), health)
    monkeypatch.setattr(under._plans, "planned", lambda _: 1 // 0)
    assert under.cleaned(ordinary(1)) == plain(under, ordinary(1))
    assert health.total("fault") == 1


def test_what_one_resource_is_stands_for_no_other() -> None:
    """Events of several processes each have their own resource, in whatever order they come, and its ids go."""
    under = stages(Policy(identity=IdentityMode.INSTALLATION, destinations=(Destination(api_key="phc_a"),)), Health())
    resources = [{"service.name": name, "service.version": version} for name, version in (("a", "1"), ("b", "2"))]
    for number in range(8):
        # Also of a user who is called as a process is, and of a resource that another has the place of in memory.
        user = "the-service" if number > 5 else "somebody"
        resource = resources[number % 2] if number < 5 else {"service.name": "the-service", "service.version": "3"}
        signal = ordinary(number, **{"user.id": user})._replace(resource=resource, context=None)
        assert under.cleaned(signal) == plain(under, signal)
        [event], _ = under.cleaned(signal)
        said = "[user]" if number > 5 else resource["service.name"]
        assert f'"service.name":"{said}"'.encode() in event.body


@pytest.mark.parametrize("kind", ["session", "window", "journey"])
def test_an_id_that_is_sent_as_it_is_has_passed_the_detectors(kind: str) -> None:
    """In the mode that sends ids, an address in the id of a session is replaced, and one without anything stays."""
    under = stages(Policy(identity=IdentityMode.IDENTIFIED, destinations=(Destination(api_key="phc_a"),)), Health())
    for number in range(4):
        for said, sent in (
            (f"s-{number}", f"s-{number}"),
            (f"of jo{number}@example.org", "of [email]"),
            ("[1]", "[1]"),
        ):
            [event], _ = under.cleaned(ordinary(number, **{f"analytics.{kind}.id": said}))
            assert f'{kind}_id":"{sent}"'.encode() in event.body
