"""Recorded exceptions become events of PostHog's error tracking, and tell no more than the policy says."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path

import failing
import pytest
from exceptions import bodies, recorded, sent, signals
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.conventions import error_type_of
from otel_posthog.model import EXCEPTION_EVENT, Receipt, Signal, Source
from otel_posthog.policy import ExceptionItems, ExceptionMode, ExceptionPolicy, PrivacyPolicy
from otel_posthog.posthog.properties import MAX_EXCEPTIONS, MAX_FRAMES
from otel_posthog.privacy import Filter
from otel_posthog.translate import translate, with_exception
from otel_posthog.translate.in_app_frames import (
    MAX_CHARS,
    Raised,
    in_app_frame,
    known_type,
    parse_traceback,
)

TIME_NS = 1_764_000_000_123_456_789
FILE = failing.__file__
FRAMES, TYPE, OFF = ExceptionMode.FRAMES, ExceptionMode.TYPE, ExceptionMode.OFF
FRAMES_TOO = (TYPE, FRAMES)
planted = st.from_regex(r"zqx[a-z]{5,12}", fullmatch=True)


def exception(text: str, message: str = "", kind: str = "failing.Order.Declined", **changes: str) -> Signal:
    """Return the signal of a recorded exception."""
    attributes = {"exception.type": kind, "exception.message": message, "exception.stacktrace": text, **changes}
    return Signal(Source.SPAN_EVENT, EXCEPTION_EVENT, attributes, TIME_NS, trace_id=0xABC, span_id=0xDEF)


def text_of(message: str, local: str = "") -> str:
    """Return the traceback of a failed payment."""
    try:
        failing.Order().pay(message, local)
    except failing.Order.Declined as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError


GOLDEN_TYPE = (
    b'{"event":"$exception","uuid":"82ff562f-bb19-50f0-a761-710e67f60c8e","distinct_id":"installation-1",'
    b'"timestamp":"2025-11-24T16:00:00.123456+00:00",'
    b'"options":{"disable_skew_correction":true,"process_person_profile":false},'
    b'"properties":{"$exception_list":[{"type":"Order.Declined","value":"",'
    b'"mechanism":{"type":"generic","synthetic":false,"exception_id":0},"module":"failing"}],'
    b'"$exception_level":"error","$ip":"0.0.0.0","$trace_id":"00000000000000000000000000000abc",'
    b'"$span_id":"0000000000000def","trace_sampled":true,"$geoip_disable":true}}'
)
GOLDEN_FRAMES = [
    {
        "type": "Order.Declined",
        "value": "",
        "mechanism": {"type": "generic", "synthetic": False, "exception_id": 0},
        "module": "failing",
        "stacktrace": {"type": "raw", "frames": [("pay", 27)]},
    },
    {
        "type": "KeyError",
        "value": "",
        "mechanism": {"type": "chained", "exception_id": 1, "parent_id": 0, "source": "cause"},
        "stacktrace": {"type": "raw", "frames": [("pay", 25), ("charge", 33)]},
    },
]


def test_by_default_only_the_type_is_told_to_the_byte() -> None:
    """The bytes that PostHog gets: type and module, an empty message, no frame."""
    (body,) = bodies(exception(text_of("secret"), "secret"), TYPE)
    assert body == GOLDEN_TYPE


def test_frames_are_those_of_the_apps_own_code_with_causes_after() -> None:
    """The caught one first, as posthog-python orders them; the frames of this test's own file are the app's too."""
    (event,) = sent(exception(text_of("secret"), "secret"), FRAMES)
    chain = event["properties"]["$exception_list"]
    for entry in chain:
        kept = [frame for frame in entry["stacktrace"]["frames"] if frame["module"] == "failing"]
        for frame in kept:
            assert {key: frame[key] for key in ("platform", "filename", "in_app")} == {
                "platform": "python",
                "filename": "failing.py",
                "in_app": True,
            }
        entry["stacktrace"]["frames"] = [(frame["function"], frame["lineno"]) for frame in kept]
    assert chain == GOLDEN_FRAMES


def test_no_message_is_translated_in_the_first_place() -> None:
    """The gate behind translation has nothing to take out."""
    item = exception(text_of("secret"), "secret")
    for mode in FRAMES_TOO:
        (event,) = with_exception(translate(item, lambda _: None), item, mode)
        chain = event.properties["$exception_list"]
        assert isinstance(chain, list)
        assert {entry["value"] for entry in chain} == {""}
        assert "secret" not in str(event.properties)


def test_nothing_is_told_where_the_policy_says_off() -> None:
    """Neither as an event of its own, nor beside a product event."""
    assert bodies(exception(text_of("m"), "m"), OFF) == []
    logged = Signal(Source.LOG, "failed", {"exception.type": "ValueError"}, TIME_NS)
    assert [event["event"] for event in sent(logged, OFF)] == ["failed"]


def test_a_product_log_with_an_exception_is_two_events() -> None:
    """The one it says it is and the exception, with a uuid of its own that is the same each time."""
    attributes = {"exception.type": "ValueError", "analytics.uuid": "0194f3a0-0000-7000-8000-000000000001"}
    logged = Signal(Source.LOG, "failed", {**attributes, "analytics.plan": "pro"}, TIME_NS)
    first, second = sent(logged, TYPE)
    assert (first["event"], second["event"]) == ("failed", "$exception")
    assert first["uuid"] == "0194f3a0-0000-7000-8000-000000000001"
    assert second["uuid"] == "5b815dd6-e340-5923-af2e-43a6ee24b4f1"
    assert "plan" not in second["properties"]
    assert "$exception_list" not in first["properties"]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ6cXgifQ.Zqx4kQ1Rn0uO8aQy7yR5bC3dE9fG2hJ4kL6mN8pQ0sT"
NO_CLASSES = [
    JWT,
    f"auth.{JWT}",
    "hvs.CAESIJzqx1AbCdEf2GhIjKlMn3OpQrStUvWx4YzAb5CdEf6",
    "https://discord.com/api/webhooks/123456789012345678/Zqx4kQ1Rn0uO8aQy7yR5bC3dE9fG2hJ4kL6mN8pQ0sT.Zqx",
    "https://hooks.slack.com/services/" + "T0ZQX0000/B0ZQX0000/Zqx4kQ1Rn0uO8aQy7yR5bC3d",
    "https://zqx.example.net/Zqx.Zqx",
    "C:\\Users\\zqx\\app.Zqx",
    "/home/zqx/app.Zqx",
    "zqx.doe@example.org",
    "4111.1111.1111.1111.Zqx",
    "password=zqx.Zqx",
    "no zqx.Zqx",
]


@pytest.mark.parametrize("mode", FRAMES_TOO)
@pytest.mark.parametrize("kind", NO_CLASSES)
def test_what_is_no_name_of_a_class_is_no_type(kind: str, mode: ExceptionMode) -> None:
    """A token is looked for before it is split into module and name: of its parts none looks like one."""
    (event,) = sent(exception("", kind=kind), mode)
    (told,) = event["properties"]["$exception_list"]
    assert (told["type"], told.get("module")) == ("Exception", None)


@pytest.mark.parametrize(
    ("kind", "module", "name"),
    [
        ("shop.errors.Order.Declined", "shop.errors", "Order.Declined"),
        ("google.api_core.exceptions.PermissionDenied", "google.api_core.exceptions", "PermissionDenied"),
        ("botocore.exceptions.TokenRetrievalError", "botocore.exceptions", "TokenRetrievalError"),
        ("psycopg2.errors.UniqueViolation", "psycopg2.errors", "UniqueViolation"),
        ("socket.timeout", "socket", "timeout"),
        ("*errors.errorString", None, "errorString"),
        ("github.com/pkg/errors.fundamental", None, "fundamental"),
        ("App\\Exceptions\\Handler", None, "App\\Exceptions\\Handler"),
        ("System.Data.SqlClient.SqlException", None, "System.Data.SqlClient.SqlException"),
    ],
)
def test_a_class_is_told_with_its_module(kind: str, module: str | None, name: str) -> None:
    """As its language writes it."""
    (event,) = sent(exception("", kind=kind), TYPE)
    (told,) = event["properties"]["$exception_list"]
    assert (told["type"], told.get("module")) == (name, module)


@pytest.mark.parametrize("kind", NO_CLASSES)
def test_no_part_of_a_token_is_a_kind_of_error(kind: str) -> None:
    """In `error.type` as well the detectors see the whole."""
    told = error_type_of({}, has_failed=True, exception_type=kind)
    left = Filter(PrivacyPolicy(allow=frozenset({"error.type"}))).telemetry({"error.type": told}, Receipt())
    assert told == kind
    assert "Zqx4" not in str(left)
    assert error_type_of({}, has_failed=True, exception_type="httpx.ReadTimeout") == "ReadTimeout"


def test_an_exception_sets_no_properties_of_a_person() -> None:
    """What the product event says of its user is said once."""
    attributes = {"exception.type": "ValueError", "analytics.user.set.plan": "pro", "analytics.user.id": "u1"}
    logged = Signal(Source.LOG, "failed", attributes, TIME_NS)
    *_, last = with_exception(translate(logged, lambda _: None), logged, TYPE)
    assert (last.subject.user_id, last.subject.person_set) == ("u1", {})


@pytest.mark.parametrize(
    ("attributes", "policy", "names"),
    [
        ({"analytics__event": "paid"}, ExceptionPolicy(), ["paid", "$exception"]),
        ({"analytics__event": "paid"}, ExceptionPolicy(OFF), ["paid"]),
        ({"analytics__event": "paid"}, ExceptionPolicy(OFF, ExceptionItems.ALL), ["paid"]),
        ({"http__route": "/"}, ExceptionPolicy(), []),
        ({"http__route": "/"}, ExceptionPolicy(TYPE, ExceptionItems.ALL), ["$exception"]),
    ],
)
def test_whose_exceptions_are_taken(attributes: dict[str, str], policy: ExceptionPolicy, names: list[str]) -> None:
    """Those of product spans by default, those of every span by policy, none where it is off."""
    span = recorded(lambda: failing.charge("m", "l"), **attributes)
    assert [signal.name for signal in signals(span, policy)] == names


def test_an_escaped_exception_is_told_as_not_handled() -> None:
    """Only where the instrumentation says so; it is not guessed."""
    (event,) = sent(exception("", **{"exception.escaped": "True"}), TYPE)
    assert event["properties"]["$exception_list"][0]["mechanism"]["handled"] is False
    (event,) = sent(exception("", **{"exception.escaped": "False"}), TYPE)
    assert "handled" not in event["properties"]["$exception_list"][0]["mechanism"]


CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"
HEADER = "Traceback (most recent call last):"
FAKES = [
    "{0}",
    f'\n  File "{FILE}", line 3, in {{0}}\n    {{0}}\n',
    f'x\n\n{CAUSE}\n\n{HEADER}\n  File "{FILE}", line 3, in {{0}}\n{{0}}: {{0}}',
    f'x\n\n{CAUSE}\n\n{HEADER}\n  File "/home/{{0}}/a.py", line 3, in pay\n{{0}}: {{0}}',
    f'{{0}}\n\n{CONTEXT}\n\n{HEADER}\n  File "/home/{{0}}.py", line 1, in <module>\n{{0}}.Error: {{0}}',
]


@given(planted, st.sampled_from(FAKES), planted, st.text(max_size=40), st.sampled_from(FRAMES_TOO))
def test_no_message_local_source_or_path_survives(
    value: str, fake: str, local: str, noise: str, mode: ExceptionMode
) -> None:
    """Whatever a message looks like, a traceback even: what is sent are facts about the source code."""
    message = noise + fake.format(value) + noise
    span = recorded(lambda: failing.Order().pay(message, local), analytics__event="paid")
    for signal in signals(span, ExceptionPolicy(mode)):
        for body in bodies(signal, mode):
            text = json.loads(json.dumps(body.decode()))
            assert [
                each for each in (value, local, failing.SOURCE, str(Path(FILE).parent), "/home") if each in text
            ] == []


@given(planted, st.sampled_from(FAKES), st.sampled_from(FRAMES_TOO))
def test_no_claim_of_a_foreign_text_survives(value: str, fake: str, mode: ExceptionMode) -> None:
    """A log record may bring any text as its stack trace, with no message beside it."""
    text = "Traceback (most recent call last):\n" + fake.format(value)
    assert not [body for body in bodies(exception(text), mode) if value.encode() in body]


def test_frames_of_libraries_and_of_files_that_are_not_here_are_left_out() -> None:
    """Installed code, the standard library, this package, unknown files, wrong lines and wrong functions."""
    line = failing.charge.__code__.co_firstlineno
    assert in_app_frame(FILE, line, "charge") == ("failing", "failing.py", "charge", line)
    assert in_app_frame(FILE, line, "<lambda>") is not None
    assert in_app_frame(pytest.__file__, 1, "<module>") is None
    assert in_app_frame(json.__file__, 1, "<module>") is None
    assert in_app_frame(sys.modules["otel_posthog.model"].__file__ or "", 1, "<module>") is None
    assert in_app_frame("/nowhere/app.py", 1, "<module>") is None
    assert in_app_frame(FILE, 100_000, "charge") is None
    assert in_app_frame(FILE, 0, "charge") is None
    assert in_app_frame(FILE, line, "jane") is None


def test_a_package_is_told_by_its_module_and_never_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is told below the folder that the package was imported from."""
    (tmp_path / "jane_doe" / "boutique").mkdir(parents=True)
    (tmp_path / "jane_doe" / "boutique" / "__init__.py").write_text("def fail():\n    raise ValueError('m')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "jane_doe"))
    import boutique  # type: ignore[import-not-found]  # noqa: PLC0415

    try:
        span = recorded(boutique.fail, analytics__event="paid")
        _, signal = signals(span, ExceptionPolicy(FRAMES))
        (body,) = bodies(signal, FRAMES)
        assert b"jane_doe" not in body
        frame = json.loads(body)["properties"]["$exception_list"][0]["stacktrace"]["frames"][-1]
        assert (frame["module"], frame["filename"], frame["function"]) == ("boutique", "boutique/__init__.py", "fail")
    finally:
        sys.modules.pop("boutique")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("KeyError", True),
        ("failing.Order.Declined", True),
        ("failing.Order", False),
        ("failing.JaneDoe", False),
        ("jane@example.org", False),
        ("", False),
    ],
)
def test_the_type_of_a_cause_is_told_if_there_is_one_of_that_name(name: str, known: bool) -> None:
    """The text of a cause is a claim as well."""
    assert known_type(name) == (name if known else None)


def test_the_text_of_a_traceback_is_read_as_python_writes_it() -> None:
    """Causes and contexts, the caught one first, with how each relates to the next."""
    text = (
        "Traceback (most recent call last):\n"
        '  File "/app/a.py", line 1, in one\n    one()\n    ^^^^^\n'
        "KeyError: 'k'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/app/b.py", line 2, in two\n'
        "  [Previous line repeated 3 more times]\n"
        "shop.Declined: line one\nTraceback (most recent call last):\n"
        '  File "/app/c.py", line 3, in three\n'
        "Fake: no link led to it\n"
    )
    assert parse_traceback(text, "") == [
        Raised("shop.Declined", (("/app/b.py", 2, "two"),), "context"),
        Raised("KeyError", (("/app/a.py", 1, "one"),), ""),
    ]
    assert parse_traceback("at com.shop.Main.run(Main.java:7)", "") == []


def test_the_frames_of_an_exception_group_are_read() -> None:
    """A group is drawn with a line at its left; its own frames count."""
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/a.py", line 1, in one\n  |     one()\n'
        "  | ExceptionGroup: two things (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
    )
    assert parse_traceback(text, "") == [Raised("ExceptionGroup", (("/app/a.py", 1, "one"),), "")]


def test_a_program_that_has_ended_still_has_its_frames(tmp_path: Path) -> None:
    """Python takes `__file__` off the main module as it ends, before the last events are sent."""
    program = tmp_path / "program.py"
    program.write_text(
        "import atexit, sys\n"
        "from otel_posthog.translate.in_app_frames import in_app_frame\n"
        "path = __file__\n"
        "def last(): print(hasattr(sys.modules['__main__'], '__file__'), in_app_frame(path, 4, 'last'))\n"
        "atexit.register(last)\n"
    )
    run = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    assert "Frame(module='__main__', filename='program.py', function='last', lineno=4)" in run.stdout


def test_a_long_traceback_is_bounded() -> None:
    """In characters, frames and causes; the innermost frames and the latest exceptions are kept."""
    frames = "".join(f'  File "/a.py", line {number}, in f\n' for number in range(MAX_FRAMES * 2))
    (found,) = parse_traceback(f"Traceback (most recent call last):\n{frames}E: m\n", "m")
    assert [line for _, line, _ in found.frames] == list(range(MAX_FRAMES, MAX_FRAMES * 2))
    one = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\nE: m\n\n'
    link = "During handling of the above exception, another exception occurred:\n\n"
    assert len(parse_traceback(link.join([one] * MAX_EXCEPTIONS * 2), "")) == MAX_EXCEPTIONS
    assert parse_traceback(one + "x" * MAX_CHARS, "") == []


anything = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.binary(max_size=5) | st.just([b"x", {}])
)


@given(
    st.dictionaries(st.sampled_from(["type", "message", "stacktrace", "escaped"]), anything),
    st.sampled_from(FRAMES_TOO),
)
def test_attributes_of_any_type_are_borne(values: dict[str, object], mode: ExceptionMode) -> None:
    """What a foreign exporter writes under these names raises nothing, and has a type that is a name."""
    attributes = {f"exception.{name}": value for name, value in values.items()}
    item = Signal(Source.SPAN_EVENT, EXCEPTION_EVENT, attributes, TIME_NS, trace_id=1, span_id=2)
    (event,) = sent(item, mode)
    (entry, *_) = event["properties"]["$exception_list"]
    assert entry["type"]
    assert " " not in entry["type"]
