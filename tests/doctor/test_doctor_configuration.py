"""What the doctor finds in variables and policy files: keys, hosts, switches, mistakes, one or many at once."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from doctored import KEY, doctor, healthy, texts

from otel_posthog import environment_variables


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An app in which nothing is wrong, in a folder of its own."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)


KEYS = {
    "a personal one": ("phx_" + KEY[4:], "key_personal", "begins with phc_"),
    "a personal one in quotes": (f'"phx_{KEY[4:]}"', "key_personal", "begins with phc_"),
    "a secret one": ("phs_" + KEY[4:], "key_secret", "begins with phc_"),
    "double quotes": (f'"{KEY}"', "key_quoted", "without them"),
    "single quotes": (f"'{KEY}'", "key_quoted", "without them"),
    "one quote": (f"{KEY}'", "key_quoted", "without them"),
    "typographic quotes": (f"\u201c{KEY}\u201d", "key_quoted", "without them"),
    "a space inside": (f"{KEY[:20]} {KEY[20:]}", "key_unusual", "on one line"),
    "a line end inside": (f"{KEY[:20]}\n{KEY[20:]}", "key_unusual", "on one line"),
    "an invisible character": (f"{KEY}\u200b", "key_unusual", "on one line"),
    "dots of an example": ("phc_...", "key_placeholder", "copy the project's key"),
    "words of an example": ("<your-project-key>", "key_placeholder", "copy the project's key"),
    "a row of x": ("phc_xxxxxxxx", "key_placeholder", "copy the project's key"),
    "a line end behind": (f"{KEY}\n", "key_padded", "printf"),
    "a space before": (f" {KEY}", "key_padded", "printf"),
    "half of it": (KEY[:20], "key_short", "whole"),
    "another prefix": ("pk_" + KEY, "key_no_prefix", "compare"),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_bad_key_is_found_by_its_shape(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to write instead, and with no more of it than its beginning; nothing else is complained of."""
    given, kind, fix = KEYS[case]
    monkeypatch.setenv("POSTHOG_API_KEY", given)
    found = doctor()
    assert found.complaints == [kind]
    assert fix in found[kind]["fix"]
    assert found.status == (found[kind]["level"] == "wrong")
    assert not [text for text in texts(found) if given.strip()[8:] in text and len(given) > 12]


def test_a_key_that_a_policy_names_is_looked_at_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the variable that it names, which the finding says."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("destinations: [{name: a, api_key_env: SHOP_KEY}]\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(policy))
    monkeypatch.delenv("POSTHOG_API_KEY")
    monkeypatch.setenv("SHOP_KEY", "phx_" + KEY[4:])
    found = doctor()
    assert found.complaints[0] == "key_personal"
    assert found["key_personal"]["says"].startswith("SHOP_KEY ")


HOSTS = {
    "eu.i.posthog.com": ("host_no_scheme", "=https://eu.i.posthog.com"),
    "ph.example.org:8443/ph": ("host_no_scheme", "=https://ph.example.org:8443/ph"),
    '"https://eu.i.posthog.com"': ("host_quoted", "without quotes"),
    "ftp://eu.i.posthog.com": ("host_no_url", "https://eu.i.posthog.com"),
    "https://": ("host_no_url", "https://eu.i.posthog.com"),
    "https//eu.i.posthog.com": ("host_no_url", "=https://eu.i.posthog.com,"),
    "http//posthog:8000": ("host_no_url", "=https://eu.i.posthog.com,"),
    "https:/eu.i.posthog.com": ("host_no_url", "=https://eu.i.posthog.com,"),
    "https:eu.i.posthog.com": ("host_no_url", "=https://eu.i.posthog.com,"),
    "https://<host>": ("host_no_name", "https://eu.i.posthog.com"),
    "https://https://eu.i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "http://https://eu.i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://eu i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://eu.i.posthog,com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://eu..i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://.i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://-eu.i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://${POSTHOG_HOST}": ("host_no_name", "https://eu.i.posthog.com"),
    "https://*.i.posthog.com": ("host_no_name", "https://eu.i.posthog.com"),
    "https://app.posthog.com": ("host_app", "write that host"),
    "https://eu.posthog.com/project/1": ("host_app", "write that host"),
    "https://posthog.com": ("host_site", "region"),
    "https://www.posthog.com/": ("host_site", "region"),
    "https://eu.i.posthog.com/batch/": ("host_path", "https://eu.i.posthog.com"),
    "https://us.i.posthog.com/project/5": ("host_path", "https://us.i.posthog.com"),
    "https://ph.example.org/i/v1/analytics/events": ("host_path", "https://ph.example.org"),
    "https://ph.example.org/?x=1": ("host_query", "without"),
    "http://eu.i.posthog.com": ("host_not_encrypted", "https://eu.i.posthog.com"),
    "http://ph.example.org": ("host_not_encrypted", "https://ph.example.org"),
    "http://posthog:8000": ("host_not_encrypted_inside", "https://"),
    "http://10.1.2.3:8000": ("host_not_encrypted_inside", "https://"),
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_bad_host_is_found_by_how_it_is_written(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to write instead, and nothing else is complained of."""
    monkeypatch.setenv("POSTHOG_HOST", host)
    found = doctor()
    assert found.complaints == [HOSTS[host][0]]
    assert HOSTS[host][1] in found[HOSTS[host][0]]["fix"]


@pytest.mark.parametrize(
    "host",
    ["https://eu.i.posthog.com", "https://eu.i.posthog.com/", " https://us.i.posthog.com\n", "https://ph.example.org/ph",
     "http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000", "HTTPS://EU.I.POSTHOG.COM",
     "https://eu.i.posthog.com.", "https://my_relay.example.org", "https://müller.example", "https://xn--mller-kva.example",
     "https://203.0.113.7:8443", "https://user@ph.example.org"],
)  # fmt: skip
def test_a_good_host_is_not_complained_of(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a slash, blanks or a relay's path, and on this machine without TLS."""
    monkeypatch.setenv("POSTHOG_HOST", host)
    assert doctor().complaints == []


NAMES = {
    "POSTHOG_KEY": "set POSTHOG_API_KEY", "POSTHOG_PROJECT_API_KEY": "set POSTHOG_API_KEY",
    "NEXT_PUBLIC_POSTHOG_KEY": "set POSTHOG_API_KEY", "POSTHOG_API_HOST": "set POSTHOG_HOST",
    "OTEL_POSTHOG_POLCY": "rename it to OTEL_POSTHOG_POLICY", "OTEL_POSTHOG_STATE_DIRECTORY": "rename it to",
    "OTEL_POSTHOG_XYZ": "take it out", "OTEL_POSTHOG_API_KEY": "rename it to POSTHOG_API_KEY",
    "OTEL_POSTHOG_KEY": "rename it to POSTHOG_API_KEY", "OTEL_POSTHOG_TOKEN": "rename it to POSTHOG_API_KEY",
    "OTEL_POSTHOG_HOST": "rename it to POSTHOG_HOST", "OTEL_POSTHOG_URL": "rename it to POSTHOG_HOST",
    "POSTHOG_API_KEYS": "set POSTHOG_API_KEY", "POSTHOG_AP_KEY": "set POSTHOG_API_KEY",
    "POSTHOG_HOSTS": "set POSTHOG_HOST", "POSTHOG_HOTS": "set POSTHOG_HOST",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_nobody_reads_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the one that was meant, and not with its value; where that is set as well, it is somebody else's."""
    monkeypatch.setenv(name, KEY)
    if NAMES[name].endswith(" POSTHOG_API_KEY"):
        monkeypatch.delenv("POSTHOG_API_KEY")
    found = doctor()
    assert "variable_unknown" in found.complaints
    assert set(found.complaints) <= {"variable_unknown", "off_no_key", "destination_no_key"}
    assert name in found["variable_unknown"]["says"]
    assert found["variable_unknown"]["fix"].startswith(NAMES[name])
    assert not [text for text in texts(found) if KEY in text]
    if NAMES[name].startswith("set "):
        monkeypatch.setenv(
            NAMES[name].removeprefix("set "), KEY if "KEY" in NAMES[name] else "https://eu.i.posthog.com"
        )
        assert doctor().complaints == []


@pytest.mark.parametrize(
    "name", ["POSTHOG_API_KEY_2", "POSTHOG_API_KEY_EU", "POSTHOG_PERSONAL_API_KEY", "POSTHOG_DEBUG"]
)
def test_a_variable_of_somebody_elses_is_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a policy with several keys, and of posthog-python."""
    monkeypatch.setenv(name, KEY)
    monkeypatch.delenv("POSTHOG_API_KEY")
    assert "variable_unknown" not in doctor().complaints


@pytest.mark.parametrize("word", ["1", "yes", "on", "ture", " 1 "])
def test_a_word_that_only_we_take_for_a_yes_is_told_so(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's SDK goes on with it, which the advice says; with `true` it does not."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", word)
    found = doctor()
    assert found.complaints == ["off_by_sdk_disabled_word"]
    assert "goes on" in found["off_by_sdk_disabled_word"]["fix"]
    monkeypatch.setenv("OTEL_SDK_DISABLED", " TRUE ")
    assert doctor().complaints == ["off_by_sdk_disabled"]


def test_no_variable_that_is_read_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what processes leave for those that they start."""
    for name in ("OTEL_POSTHOG_TOLD", "OTEL_POSTHOG_TOLD_FLASK"):
        monkeypatch.setenv(name, "1 x")
    for name in vars(environment_variables).values():
        if isinstance(name, str) and name.startswith("OTEL_POSTHOG_"):
            monkeypatch.setenv(name, "")
    assert doctor().complaints == []


SWITCHES = {
    "OTEL_POSTHOG_ENABLED=false": "off_by_enabled",
    "OTEL_POSTHOG_ENABLED=ture": "off_by_enabled",
    "OTEL_POSTHOG_ENABLED=preview": "preview",
    "OTEL_POSTHOG_ENABLED=console": "preview",
    "USAGE_STATS=false": "off_by_usage_stats",
    "SHOP_STATS=0": "off_by_usage_stats",
    "DO_NOT_TRACK=1": "off_by_do_not_track",
    "OTEL_SDK_DISABLED=true": "off_by_sdk_disabled",
    "POSTHOG_API_KEY=": "off_no_key",
}
_OFF = [line for line, kind in SWITCHES.items() if kind != "preview" and "ture" not in line]


@pytest.fixture
def with_alias(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A policy with a switch of the app's own."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("collection: {off_switches: [SHOP_STATS]}\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(policy))


@pytest.mark.usefixtures("with_alias")
@pytest.mark.parametrize("line", SWITCHES)
def test_each_off_switch_is_found(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a note, since it may be meant so, with the variable to unset."""
    name, _, value = line.partition("=")
    monkeypatch.setenv(name, value)
    found = doctor()
    assert SWITCHES[line] in found.complaints
    assert set(found.complaints) <= {SWITCHES[line], "destination_no_key"}
    assert name in found[SWITCHES[line]]["says"] + found[SWITCHES[line]]["fix"]
    assert found.status == 0
    assert "collects" not in found.ids


def test_an_opt_out_at_run_time_is_found() -> None:
    """It is kept in the state directory, where no variable tells of it."""
    from otel_posthog import set_collection  # noqa: PLC0415

    set_collection(False)
    found = doctor()
    assert found.complaints == ["off_by_choice"]
    assert "set_collection(True)" in found["off_by_choice"]["fix"]
    set_collection(True)
    assert doctor().complaints == []


@pytest.mark.usefixtures("with_alias")
@pytest.mark.parametrize("lines", list(itertools.combinations(_OFF, 2)), ids=" ".join)
def test_two_switches_are_both_found(lines: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who mends the one that a start names would only be shown the other."""
    for line in lines:
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    said = [each["says"] for each in doctor().findings if each["id"].startswith("off_")]
    assert len(said) == 2
    assert all(any(line.partition("=")[0] in each for each in said) for line in lines)


def test_every_mistake_is_found_and_the_gravest_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In key, host, policy and settings at once: a start stops at the first of them."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("privcy: {}\nidentity: nobody\n", encoding="utf-8")
    (tmp_path / "file").touch()
    wrong = {
        "POSTHOG_API_KEY": "phx_" + KEY[4:],
        "POSTHOG_HOST": "eu.i.posthog.com",
        "OTEL_POSTHOG_POLICY": str(policy),
        "OTEL_POSTHOG_SAMPLER": "nope",
        "OTEL_POSTHOG_DERIVE": "wbe",
        "OTEL_POSTHOG_IDENTITY": "nobody",
        "OTEL_POSTHOG_EXIT_TRY_S": "soon",
        "OTEL_POSTHOG_BRIDGE": "perhaps",
        "OTEL_POSTHOG_SPOOL_DIR": str(tmp_path / "file" / "spool"),
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    found = doctor()
    assert found.status == 1
    assert found.ids[0] == "key_personal"
    said = " ".join(each["says"] for each in found.findings if each["level"] == "wrong")
    assert [name for name in wrong if name not in said] == ["OTEL_POSTHOG_POLICY", "OTEL_POSTHOG_SPOOL_DIR"]
    assert f"{policy}:1: " in said
    assert f"{policy}:2: " in said
    assert "directory_not_writable" in found.ids
    assert "destination_no_key" not in found.ids, "the key is there, and is told of"
    levels = [each["level"] for each in found.findings]
    assert levels == sorted(levels, key=["wrong", "note", "ok"].index)
