"""Who an event is about and whether it is sent: what `docs/identity.md` says, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from events import KEY
from instrumented import EVENTS_PER_ORDER, SUPPORT, Run, instrumented, shop
from ports import free_port
from shop import MAIL

from otel_posthog.testing import FakePostHog, OtlpSink

EVENTS = ["coupon_used", "order_logged", "order_placed", "receipt_sent"]
ENABLED = "Usage statistics enabled (user IDs anonymized)"
OPTED_OUT = "Usage statistics disabled by set_collection(False)"


def python(code: str, **environ: str) -> str:
    """Run `code` in a Python of its own, without any set-up, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


def outcomes(sink: OtlpSink) -> Counter[str]:
    """Return what became of product events, as our own metrics tell."""
    found: Counter[str] = Counter()
    for metric in sink.metrics:
        if metric.name == "otel_posthog.events":
            for attributes, value in metric.points:
                found[str(attributes["outcome"])] += int(value)
    return found


def test_row_preview(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """`OTEL_POSTHOG_ENABLED=preview`: filtered, counted, told in one line; no request leaves, with or without a key."""
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url, POSTHOG_API_KEY="", OTEL_POSTHOG_ENABLED="preview")
    assert fake_posthog.requests == []
    counted = outcomes(otlp_sink)
    assert (counted["previewed"], counted["delivered"]) == (2 * EVENTS_PER_ORDER, 0)
    assert run.said == "Usage statistics in preview by OTEL_POSTHOG_ENABLED=preview: events are counted, none is sent"


def test_row_console(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """`OTEL_POSTHOG_ENABLED=console`: each event is read on the terminal as it would be sent, and none is sent."""
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url, POSTHOG_API_KEY="", OTEL_POSTHOG_ENABLED="console")
    assert fake_posthog.requests == []
    assert outcomes(otlp_sink)["previewed"] == EVENTS_PER_ORDER
    start = "Usage statistics in preview by OTEL_POSTHOG_ENABLED=console: events are printed, none is sent"
    assert start in run.out.splitlines()
    shown = [line for line in run.out.splitlines() if line.startswith("-> default: ")]
    assert sorted(shown) == [f"-> default: {name}" for name in sorted(EVENTS)]
    assert "     total                     10\n" in run.out
    assert "     note                      call [phone] or write [email], card [card]\n" in run.out
    assert "     distinct_id               installation-" in run.out
    assert MAIL not in run.out
    assert "u-4711" not in run.out


@pytest.mark.parametrize("switch", ["OTEL_POSTHOG_ENABLED=false", "OTEL_SDK_DISABLED=true"])
def test_row_otel_switches(switch: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """`OTEL_POSTHOG_ENABLED=false` and `OTEL_SDK_DISABLED=true`: nothing is sent, and the line names the switch."""
    name, _, value = switch.partition("=")
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url, **{name: value})
    assert fake_posthog.requests == []
    assert run.said == f"Usage statistics disabled by {switch}"


def test_row_set_collection(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """`otel_posthog.set_collection(False)` is kept across restarts, until somebody takes it back."""
    assert python("import otel_posthog; print(otel_posthog.set_collection(False))") == "True"
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert run.said == OPTED_OUT
    assert fake_posthog.requests == []
    assert python("import otel_posthog; print(otel_posthog.set_collection(True))") == "True"
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert ENABLED in run.said.splitlines()
    assert len(fake_posthog.unique_events) == EVENTS_PER_ORDER


@pytest.mark.parametrize("home", ["below a file", ""])
def test_row_read_only_home(home: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """Without a place to write, `INSTANCE_ID` or not, everything arrives, and one line says what it means."""
    (tmp_path / "file").write_text("", encoding="ascii")
    environ = {"HOME": str(tmp_path / "file" / "home"), "XDG_STATE_HOME": "", "OTEL_POSTHOG_STATE_DIR": ""}
    if not home:
        environ |= {"INSTANCE_ID": "acme-prod"}
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_POSTHOG_IDENTITY="daily", **environ)
    assert len(fake_posthog.unique_events) == EVENTS_PER_ORDER
    assert any(each.distinct_id.startswith("daily-") for each in fake_posthog.events)
    assert ("no writable state directory" in run.said) is bool(home)
    assert not run.has_traceback_of_ours


def test_row_missing_home(tmp_path: Path) -> None:
    """Without `HOME` and with a user that has none, nothing is written to where the program stands."""
    # A stand-in for a container's numeric user, which no test can become everywhere: the user database knows nobody.
    code = (
        "import os, pwd\n"
        "def nobody(_): raise KeyError\n"
        "pwd.getpwuid = nobody\n"
        "from otel_posthog.identity import load_installation\n"
        "environ = {name: value for name, value in os.environ.items() if name != 'OTEL_POSTHOG_STATE_DIR'}\n"
        "installation = load_installation(environ)\n"
        "print(installation.is_kept, os.listdir('.'), installation.directory.parts[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "False [] ~"


def test_row_installation(tmp_path: Path) -> None:
    """Two `virtual environments` of one user are two installations, and each is the same at its next start."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import os; from otel_posthog.identity import load_installation;"
        "print(load_installation(os.environ).distinct_id)"
    )

    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_POSTHOG_")}
    environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    ids = []
    for name in ("one", "two", "one"):
        where = tmp_path / name
        if not where.exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True, timeout=120)
        command = [str(where / "bin" / "python"), "-c", code, *[each for each in sys.path if each]]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=True)
        ids.append(done.stdout.strip())
    assert ids[0] == ids[2]
    assert ids[0] != ids[1]


def serving(
    requests: int, headers: Path, sink: OtlpSink, posthog: FakePostHog, **environ: str
) -> tuple[int, Callable[[], Run]]:
    """Start the service that knows no user; return its port, and what waits for its end."""
    port, runs = free_port(), list[Run]()

    def serve() -> None:
        program = (str(SUPPORT / "back.py"), str(port), str(requests), str(headers))
        runs.append(instrumented(*program, otlp=sink.url, posthog=posthog.url, **environ))

    thread = threading.Thread(target=serve)
    thread.start()
    while thread.is_alive() and not headers.exists():
        thread.join(0.05)

    def ended() -> Run:
        thread.join(60)
        return runs[0]

    return port, ended


def test_sec_gpc_is_heard_as_flask_captures_it(fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """A real header, a real instrumentation that was told to capture it: that request's events are not sent."""
    capture = {"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "Sec-GPC"}
    port, back = serving(2, tmp_path / "headers", otlp_sink, fake_posthog, **capture)
    for place, sec_gpc in (("objecting", {"Sec-GPC": "1"}), ("silent", {})):
        request = Request(f"http://127.0.0.1:{port}/{place}", headers=sec_gpc)
        with urlopen(request, timeout=120) as response:
            assert response.status == 200
    assert back().returncode == 0
    assert [each.event for each in fake_posthog.events] == ["back_silent"]


def test_row_identity_baggage(fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """`OTEL_POSTHOG_IDENTITY_BAGGAGE`: through an await, a thread and HTTP, as a pseudonym; a denial goes along."""
    headers = tmp_path / "headers"
    environ = {"OTEL_POSTHOG_IDENTITY": "pseudonymous", "OTEL_POSTHOG_IDENTITY_KEYS": KEY}

    port, back = serving(3, headers, otlp_sink, fake_posthog, OTEL_POSTHOG_IDENTITY_BAGGAGE="accept", **environ)
    front = instrumented(
        str(SUPPORT / "front.py"),
        f"http://127.0.0.1:{port}",
        otlp=otlp_sink.url,
        posthog=fake_posthog.url,
        needed="requests",
        OTEL_POSTHOG_IDENTITY_BAGGAGE="send",
        **environ,
    )
    served = back()
    assert [front.returncode, served.returncode] == [0, 0], front.out + served.out
    who = {each.event: each.distinct_id for each in fake_posthog.events}
    assert set(who) == {"front_awaited", "front_threaded", "back_awaited", "back_threaded", "nobody_any_more"}
    (pseudonym,) = {who[name] for name in who if name != "nobody_any_more"}
    assert pseudonym.startswith("user-")
    assert who["nobody_any_more"].startswith("installation-")
    carried = headers.read_text(encoding="utf-8").splitlines()
    assert carried == [f"analytics.user.pseudonym={pseudonym}"] * 2 + ["analytics.consent=false"]
    for raw in (fake_posthog.raw_bytes, otlp_sink.raw_bytes):
        assert b"u-4711" not in raw
        assert b"session-0815" not in raw
