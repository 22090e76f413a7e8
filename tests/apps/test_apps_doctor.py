"""`otel-posthog doctor`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import Authority
from left_out import Environment, bare

from otel_posthog.apps.cli import main
from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.fake_posthog import Fault

KEY = "phc_" + "sesame"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An app's environment: a key, a Collector, directories of its own."""
    monkeypatch.setenv("POSTHOG_API_KEY", KEY)
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "state"))
    with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        yield


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Return what was printed as JSON, by what it is about."""
    return {each["about"]: each for each in json.loads(capsys.readouterr().out)}


def test_a_good_environment_has_no_complaint(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Everything is named, nothing is wrong, no key is shown, and nothing is left behind."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Usage statistics enabled (user IDs anonymized)" in out
    assert "https://us.i.posthog.com, identity installation, key set" in out
    assert "✗" not in out
    assert "sesame" not in out
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_configuration_is_the_line_of_a_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A policy that cannot be read is status 1 and the line that says what to write instead."""
    path = tmp_path / "policy.yaml"
    path.write_text("privcy: {}\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(path))
    assert main(["doctor", "--json"]) == 1
    said = findings(capsys)["configuration"]
    assert said["level"] == "wrong"
    assert said["says"] == f"{path}:1: `privcy` is not a key of the policy; did you mean `privacy`?"


def test_an_off_switch_is_a_note(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Collection that somebody switched off is named with its switch, and is not wrong."""
    monkeypatch.setenv("USAGE_STATS", "false")
    assert main(["doctor", "--send", "--json"]) == 0
    found = findings(capsys)
    assert found["collection"]["level"] == "note"
    assert found["collection"]["says"] == "Usage statistics disabled by USAGE_STATS=false"
    assert found["trial"]["says"].startswith("nothing was sent")


def test_a_directory_that_cannot_be_written_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is found without being made, with the variable that names another."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "file" / "spool"))
    assert main(["doctor", "--json"]) == 1
    found = findings(capsys)
    assert found["state directory"]["level"] == "ok"
    assert found["spool directory"]["fix"] == "set OTEL_POSTHOG_SPOOL_DIR to one that can"


def test_the_disabled_hook_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where zero-code set-up is taken out, another integration is named."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, posthog")
    assert main(["doctor", "--json"]) == 0
    assert "configure()" in findings(capsys)["integration"]["fix"]


def test_a_trial_arrives(
    fake_posthog: FakePostHog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--send` sends one event as an app would, and says that it was taken."""
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    fake_posthog.api_key = KEY
    assert main(["doctor", "--send", "--json"]) == 0
    assert findings(capsys)["trial default"]["level"] == "ok"
    assert [each.event for each in fake_posthog.events] == ["otel_posthog_doctor"]


@pytest.mark.parametrize(
    ("status", "reason", "fix"),
    [
        (401, "http 401", "check the key"),
        (503, "http 503", "check that http://127.0.0.1"),
        *((status, f"http {status}", "set POSTHOG_HOST to where PostHog takes") for status in (301, 302, 307, 308)),
    ],
)
def test_a_trial_that_fails_says_why(
    status: int,
    reason: str,
    fix: str,
    *,
    fake_posthog: FakePostHog,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event that PostHog does not take is status 1, with the reason and what to check."""
    fake_posthog.fault(Fault(status=status, times=None))
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    assert main(["doctor", "--send", "--timeout", "2", "--json"]) == 1
    said = findings(capsys)["trial default"]
    assert reason in said["says"]
    assert said["fix"].startswith(fix)


def test_a_trial_at_any_2xx_of_somebody_else_is_wrong(
    fake_posthog: FakePostHog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that answers 200 to everything has taken no event, and the doctor does not say so."""
    fake_posthog.fault(Fault(status=200, body=b"<!doctype html>", content_type="text/html", times=None))
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    assert main(["doctor", "--send", "--timeout", "2", "--json"]) == 1
    said = findings(capsys)["trial default"]
    assert said["says"] == "the event did not arrive (the answer is not PostHog's)"
    assert said["fix"].startswith("check the host: what answers there is not PostHog")
    assert said["fix"].endswith("a server that knows `/batch/` only `capture_mode: v0`")


def test_a_trial_without_a_certificate_to_believe_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS that cannot be made is told as that, with the variable that puts it right; with it the event arrives."""
    authority = Authority(tmp_path / "authority")
    with FakePostHog(api_key=KEY, tls=authority.server("IP:127.0.0.1")) as server:
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        assert main(["doctor", "--send", "--timeout", "20", "--json"]) == 1
        said = findings(capsys)["trial default"]
        assert said["says"].startswith("the event did not arrive: the certificate of 127.0.0.1:")
        assert said["says"].endswith("is of an authority that this machine does not know")
        assert "REQUESTS_CA_BUNDLE" in said["fix"]
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
        assert main(["doctor", "--send", "--json"]) == 0
        assert len(server.events) == 1


def test_the_host_of_posthogs_app_is_a_note(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works, by another host than is written; the finding names that one."""
    monkeypatch.setenv("POSTHOG_HOST", "https://eu.posthog.com/project/1")
    assert main(["doctor", "--json"]) == 0
    found = findings(capsys)
    assert found["host"]["level"] == "note"
    assert "they go to https://eu.i.posthog.com" in found["host"]["says"]
    assert found["destination default"]["says"].startswith("https://eu.i.posthog.com, ")


def test_terminals_without_utf_8_get_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks and arrows are words where the output cannot encode them."""
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii"))
    monkeypatch.delenv("POSTHOG_API_KEY")
    assert main(["doctor"]) == 0
    sys.stdout.flush()
    assert b"note   collection" in shown.getvalue()


DOCTOR = "from otel_posthog.apps.cli import main; raise SystemExit(main(['doctor', '--json']))"


def test_a_framework_without_its_instrumentation_is_a_note(tmp_path: Path) -> None:
    """Flask, Django and FastAPI: what is missing and what to do, in JSON too; status 0, since it may be meant so."""
    found = {each["about"]: each for each in json.loads(bare(tmp_path / "bare").run("-c", DOCTOR))}
    for name, called in (("flask", "Flask"), ("django", "Django"), ("fastapi", "FastAPI")):
        assert found[called]["level"] == "note"
        assert found[called]["says"].startswith(f"{called} is installed, its instrumentation is not: ")
        get = f"pip install opentelemetry-instrumentation-{name}, or opentelemetry-bootstrap -a install; "
        assert found[called]["fix"].startswith(get)
    assert "Starlette" not in found, "what FastAPI stands on is no second finding"


def test_starlette_without_fastapi_is_a_framework(tmp_path: Path) -> None:
    """It has an instrumentation of its own; what is instrumented or disabled is not found."""
    environment = Environment(
        tmp_path / "starlette",
        "fastapi",
        "opentelemetry_instrumentation_flask",
        "opentelemetry_instrumentation_starlette",
    )
    found = {each["about"] for each in json.loads(environment.run("-c", DOCTOR))}
    assert found & {"Flask", "Django", "FastAPI", "Starlette"} == {"Flask", "Starlette"}
    disabled = environment.run("-c", DOCTOR, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="flask,starlette")
    assert {each["about"] for each in json.loads(disabled)} == found - {"Flask", "Starlette"}


@pytest.mark.parametrize(
    ("environ", "level", "says"),
    [
        ({}, "ok", "all, as light spans: this SDK's are as they are known"),
        ({"OTEL_POSTHOG_SAMPLER": "marked"}, "ok", "those marked at their start, as light spans"),
        ({"OTEL_POSTHOG_SAMPLER": "off"}, "note", "none is recorded"),
        ({"OTEL_POSTHOG_LIGHT_SPANS": "false"}, "note", "as whole spans of the SDK: OTEL_POSTHOG_LIGHT_SPANS is false"),
    ],
)
def test_what_stands_for_an_unsampled_span_is_told(
    environ: dict[str, str], level: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A light span or a whole one, and why."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    main(["doctor", "--json"])
    found = findings(capsys)["unsampled spans"]
    assert found["level"] == level
    assert says in found["says"]


def test_an_sdk_with_other_spans_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With what of it is not known."""
    monkeypatch.delattr("opentelemetry.sdk.trace._Span")
    main(["doctor", "--json"])
    said = findings(capsys)["unsampled spans"]
    assert (said["level"], said["says"]) == (
        "note",
        "all, as whole spans of the SDK: it makes its spans in another way",
    )


TIMEOUTS = ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e300", "86401", "abc", "", " ", "1,5", "10s", "0x10"]


def refused(*words: str) -> int | str | None:
    """Return the status with which `doctor` ends."""
    try:
        return main(["doctor", *words])
    except SystemExit as ended:
        return ended.code


@pytest.mark.parametrize("given", TIMEOUTS)
def test_a_timeout_that_is_no_time_says_what_to_write(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is looked at: status 2, and one line."""
    assert refused(f"--timeout={given}") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "argument --timeout: write a number of seconds above 0" in said.err
    assert len(said.err.splitlines()) == 1


ARGUMENTS = {"--app=": "write the name of a module", "--app= ": "write the name of a module", "--plain": "--app"}


MODULES = {
    "shop/app.py": "shop.app",
    "./shop/app": "shop.app",
    "shop-app": "shop.app",
    ".": "shop.app",
    "/": "shop.app",
}


@pytest.mark.parametrize("given", MODULES)
def test_a_path_in_the_place_of_a_module_says_how_that_is_written(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In dots, as in an import: status 2, and one line."""
    assert refused("--app", given) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"as in an import, for example {MODULES[given]} (" in said.err


def test_an_app_may_be_named_as_servers_are_told_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Uvicorn and gunicorn take `shop:app`."""
    (tmp_path / "shop.py").write_text("app = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    main(["doctor", "--json", "--app", "shop:app", "--plain"])
    assert findings(capsys)["app"]["says"].startswith("shop is not set up")


def test_a_directory_that_is_gone_is_no_place_for_a_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a shell whose directory was taken away."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    try:
        assert main(["doctor"]) == 2
    finally:
        monkeypatch.chdir(tmp_path)
    assert "the current directory is gone" in capsys.readouterr().err


@pytest.mark.parametrize("given", ARGUMENTS)
def test_an_argument_that_would_be_ignored_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An app without a name, and what only an app has."""
    assert refused(given) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert ARGUMENTS[given] in said.err
    assert len(said.err.splitlines()) == 1
