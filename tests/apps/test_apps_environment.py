"""The environment in which the demo runs the helpdesk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from otel_posthog.apps.demo.app import AppError, AppProcess, app_environment, helpdesk_parent, refuse_others
from otel_posthog.apps.demo.model import Options
from otel_posthog.errors import ConfigurationError

FOLDER = Path("state")


def options(environ: Mapping[str, str], *, live: bool = False) -> Options:
    """Return the options of an ordinary run in `environ`."""
    return Options(400, "always_on", 0.5, seed=7, keep=False, unprotected=False, environ=environ, live=live)


def environment(environ: Mapping[str, str], *, live: bool = False) -> dict[str, str]:
    """Return the helpdesk's environment for a demo that runs in `environ`."""
    return app_environment(options(environ, live=live), FOLDER, Path("apps"))


def test_what_is_made_up_goes_nowhere_unasked() -> None:
    """A key and an endpoint that are exported for other programs do not reach the helpdesk without `--live`."""
    own = {
        "POSTHOG_API_KEY": "phc_x",
        "POSTHOG_HOST": "http://x",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://y",
        "OTEL_EXPORTER_OTLP_HEADERS": "a=b",
    }
    assert not own.keys() & environment(own).keys()
    assert options(own).unused == ("POSTHOG_API_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert own.items() <= environment(own, live=True).items()
    assert options(own, live=True).unused == ()


def test_the_users_spool_is_left_alone() -> None:
    """What waits there would be delivered to the embedded PostHog."""
    assert environment({"OTEL_POSTHOG_SPOOL_DIR": "mine"})["OTEL_POSTHOG_SPOOL_DIR"] == "state/spool"


HOST = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("destinations", "environ", "refused"),
    [
        ("[{name: a}]", {}, ""),
        ("[{name: a}, {name: b}]", {}, ""),
        ("[{name: a}, {name: b, api_key_env: VENDOR}]", {}, ""),
        ("[{name: a}, {name: b, api_key_env: VENDOR}]", {"VENDOR": "phc_v"}, "(b)"),
        ("[{name: a}, {name: b, api_key: phc_v}, {name: c, api_key: phc_w}]", {}, "(b, c)"),
    ],
)
def test_a_policy_that_sends_elsewhere_is_refused(
    destinations: str, environ: dict[str, str], refused: str, tmp_path: Path
) -> None:
    """A vendor's key in the policy would get what is made up, beside the embedded PostHog."""
    path = tmp_path / "policy.yaml"
    path.write_text(f"destinations: {destinations}\n")
    given = {"OTEL_POSTHOG_POLICY": str(path), "POSTHOG_API_KEY": "phc_demo", "POSTHOG_HOST": HOST, **environ}
    if not refused:
        refuse_others(given, HOST)
        return
    with pytest.raises(ConfigurationError) as caught:
        refuse_others(given, HOST)
    assert f"destinations with keys of their own {refused}" in str(caught.value)
    assert "--live" in str(caught.value)


def test_foreign_settings_do_not_disturb() -> None:
    """What the user's shell sets for other programs does not reach the embedded run."""
    foreign = {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_EXPORTER_X": "console",
        "POSTHOG_HOST": "http://x",
        "DO_NOT_TRACK": "1",
    }
    made = environment({**foreign, "PATH": "/bin"})
    assert not foreign.keys() & made.keys()
    assert made["PATH"] == "/bin"
    assert (made["OTEL_TRACES_SAMPLER"], made["OTEL_TRACES_SAMPLER_ARG"]) == ("always_on", "0.5")


def test_a_policy_of_the_users_own_is_shown_at_work() -> None:
    """Our own variables reach the helpdesk, but for the state, which is the run's."""
    made = environment({"OTEL_POSTHOG_POLICY": "p.yaml", "OTEL_POSTHOG_STATE_DIR": "mine"})
    assert (made["OTEL_POSTHOG_POLICY"], made["OTEL_POSTHOG_STATE_DIR"]) == ("p.yaml", "state")


def test_own_project_keeps_its_settings_and_its_switches() -> None:
    """Events for a project of the user's obey the user's switches."""
    made = environment(
        {"POSTHOG_API_KEY": "phc_x", "POSTHOG_HOST": "http://x", "DO_NOT_TRACK": "1", "OTEL_X": "y"}, live=True
    )
    assert made["POSTHOG_HOST"] == "http://x"
    assert made["DO_NOT_TRACK"] == "1"
    assert "OTEL_X" not in made


def test_own_endpoint_keeps_all_of_its_settings() -> None:
    """An OTLP endpoint of the user's keeps its headers and its protocol."""
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}
    made = environment(own, live=True)
    assert own.items() <= made.items()


@pytest.mark.parametrize(
    ("endpoint", "given", "spoken"),
    [
        ("http://x:4318", None, "http/protobuf"),
        ("http://x:4317", None, "grpc"),
        ("https://otlp.example/v1", None, "http/protobuf"),
        ("http://x:4318", "grpc", "grpc"),
    ],
)
def test_an_endpoint_is_spoken_to_as_its_port_says(endpoint: str, given: str | None, spoken: str) -> None:
    """With the endpoint alone the run arrives, on either of OTLP's two ports; what the user says wins."""
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    if given is not None:
        own["OTEL_EXPORTER_OTLP_PROTOCOL"] = given
    assert environment(own, live=True)["OTEL_EXPORTER_OTLP_PROTOCOL"] == spoken


def test_users_python_path_comes_after_the_helpdesk() -> None:
    """Both the helpdesk and what the user's path offers can be imported."""
    assert environment({"PYTHONPATH": "mine"})["PYTHONPATH"].endswith("mine")
    assert environment({})["PYTHONPATH"] == "apps"


def test_helpdesk_of_a_checkout_is_used_where_it_is(tmp_path: Path) -> None:
    """In a checkout, the app that runs is the one that can be read and changed."""
    assert helpdesk_parent(tmp_path) == Path(__file__).resolve().parents[2] / "examples"


def test_helpdesk_of_a_wheel_runs_without_its_neighbours(tmp_path: Path) -> None:
    """From a wheel, a copy runs, so that no module of the demo can take another's place on its path."""
    packaged = tmp_path / "otel_posthog" / "apps" / "demo" / "helpdesk"
    packaged.mkdir(parents=True)
    (packaged / "__main__.py").touch()
    parent = helpdesk_parent(tmp_path / "run", tmp_path / "otel_posthog")
    assert [path.name for path in parent.iterdir()] == ["helpdesk"]
    assert (parent / "helpdesk" / "__main__.py").is_file()


def test_missing_helpdesk_is_said(tmp_path: Path) -> None:
    """An installation without the app is told what to do."""
    with pytest.raises(FileNotFoundError, match="reinstall otel-posthog"):
        helpdesk_parent(tmp_path, tmp_path / "otel_posthog")


def test_dying_app_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """An app that dies at its start is one clear error that says what the app said."""
    (tmp_path / "helpdesk.py").write_text("raise SystemExit('no disk left')")
    made = app_environment(options({}), tmp_path, tmp_path) | {"OTEL_SDK_DISABLED": "true"}
    with (
        pytest.raises(AppError, match=r"ended with exit status 1 at its start\n(.*\n)*.*no disk left"),
        AppProcess(tmp_path, made),
    ):
        pass
