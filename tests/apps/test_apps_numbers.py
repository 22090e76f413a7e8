"""Numbers in arguments: each option takes those of its own span, and says what to write instead of another."""

from __future__ import annotations

import argparse

import pytest

from otel_posthog.apps import parser
from otel_posthog.apps.doctor import command as doctor
from otel_posthog.apps.gateway import command as gateway
from otel_posthog.apps.spool import command as spool

TIMES = [
    (doctor, ["--timeout"], "86400"),
    (spool, ["drain", "--timeout"], "10000000"),
    (gateway, ["--stop-timeout"], "10000000"),
]


@pytest.mark.parametrize(("command", "words", "most"), TIMES, ids=["doctor", "spool drain", "gateway"])
def test_a_time_has_its_own_ceiling_and_says_which(
    command: object, words: list[str], most: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """That itself is taken, more is not; an example stands beside it, in the same words everywhere."""
    reader = parser.Parser(prog="otel-posthog")
    command.add_arguments(reader)  # type: ignore[attr-defined]
    taken = reader.parse_args([*words, most])
    assert float(most) in vars(taken).values()
    for given in (f"{most}.5", "0", "nan", "ten"):
        with pytest.raises((SystemExit, argparse.ArgumentError)):
            reader.parse_args([*words, given])
        said = capsys.readouterr().err
        assert f"write a number of seconds above 0, up to {most}, for example 10" in said
