"""The command `otel-posthog`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from otel_posthog.apps import cli
from otel_posthog.apps.demo import command


def test_help_names_every_command_and_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """Called without a command, it says what there is and how an app is given a key."""
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    assert "POSTHOG_API_KEY=phc_... opentelemetry-instrument python app.py" in shown
    assert all(each.NAME in shown for each in cli.COMMANDS)


@pytest.mark.parametrize(
    "text", [cli.DESCRIPTION, cli.EPILOG, *(text for each in cli.COMMANDS for text in (each.DESCRIPTION, each.EPILOG))]
)
def test_help_fits_a_terminal(text: str) -> None:
    """What is written line by line is no wider than the narrowest common terminal."""
    assert max(map(len, text.splitlines())) <= 80


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the installed version."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"otel-posthog {version('otel-posthog')}\n"


def test_missing_extra_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command whose optional dependencies are missing says how to install them, and nothing else."""
    monkeypatch.setattr(command, "NEEDED_MODULES", ("no_such_distribution.module",))
    assert cli.main(["demo"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == 'otel-posthog demo needs its extra: pip install "otel-posthog[demo]"\n'


@pytest.mark.parametrize("arguments", [["demo", "--requests", "0"], ["demo", "--sampling", "2"], ["no-such-command"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What makes no sense is refused with usage and status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: otel-posthog" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["policy", "schema"], ["policy", "show"], ["doctor", "--json"]])
def test_a_reader_that_has_gone_is_no_error(arguments: list[str]) -> None:
    """What is piped into `head` or a pager that somebody leaves ends without a word."""
    nobody, out = os.pipe()
    os.close(nobody)
    command = [str(Path(sys.executable).with_name("otel-posthog")), *arguments]
    ran = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(out)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_help_imports_nothing_heavy() -> None:
    """Help comes at once: what only a subcommand needs is not imported for it."""
    code = (
        "import sys; from otel_posthog.apps.cli import main; main([]);"
        "print(sorted({'flask', 'rich', 'google.protobuf', 'posthog'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [("spool", "list"), ("policy", "check"), ("collector-config",), ("tail",)])
def test_what_opentelemetry_cannot_start_with_is_one_line(words: tuple[str, ...]) -> None:
    """It reads some of its variables when it is imported."""
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; from otel_posthog.apps.cli import main; sys.exit(main())", *words],
        env={**os.environ, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    told = f"otel-posthog {' '.join(words)}: OpenTelemetry cannot start with its OTEL_* variables: "
    assert ran.stderr.startswith(told)
    assert ran.stderr.count("\n") == 1


def test_a_mistake_of_our_own_is_not_told_as_one_of_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValueError that comes from elsewhere stays one."""

    def fail(_: object) -> int:
        return int("x")

    monkeypatch.setattr(command, "run", fail)
    with pytest.raises(ValueError, match="invalid literal"):
        cli.main(["demo"])
