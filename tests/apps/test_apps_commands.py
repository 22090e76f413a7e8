"""What holds for every command and subcommand, found by walking the parser: a new one is held to it by itself."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.apps import cli, reference, terminal
from otel_posthog.apps.parser import Parser, leaves

ROOT = Path(__file__).parents[2]
ALL = list(leaves(cli.command_line()))
EVERY = pytest.mark.parametrize("parser", ALL, ids=[each.prog for each in ALL])

EVENT = '{"event": "e", "properties": {"note": "mail jo@example.org"}}\n'
A_SPAN = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "GET /", "startTimeUnixNano": "1"}
SPANS = {"resourceSpans": [{"scopeSpans": [{"spans": [A_SPAN]}]}]}
# How each is called where `--json` is tested: with FILE for a file that it can read. None: what starts servers, which
# have tests of their own.
CALLS: dict[str, list[str] | None] = {
    "collector-config": [],
    "completion": ["bash"],
    "demo": None,
    "derive": ["TELEMETRY"],
    "doctor": [],
    "explain": ["EVENTS"],
    "gateway": None,
    "inspect": None,
    "policy check": ["POLICY"],
    "policy show": [],
    "policy schema": [],
    "pseudonym": ["--erase", "user-1"],
    "spool list": [],
    "spool inspect": [],
    "spool drain": [],
    "spool dead": [],
    "spool replay": [],
    "spool export": ["EXPORT"],
    "spool erase": ["--all"],
    "spool import": ["EXPORT"],
    "tail": None,
}


def path_of(parser: Parser) -> list[str]:
    """Return the words that call a command."""
    return parser.prog.split()[1:]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return files that commands read, and an environment in which all of them can work."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_0123456789")
    monkeypatch.setenv("POSTHOG_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    made = {name: str(tmp_path / name.lower()) for name in ("TELEMETRY", "EVENTS", "POLICY", "EXPORT")}
    Path(made["TELEMETRY"]).write_text(json.dumps(SPANS), encoding="utf-8")
    Path(made["EVENTS"]).write_text(EVENT, encoding="utf-8")
    Path(made["POLICY"]).write_text("version: 1\n", encoding="utf-8")
    assert cli.main(["spool", "export", made["EXPORT"]]) == 0
    capsys.readouterr()
    return made


@EVERY
def test_help_has_examples_that_are_right_and_says_what_the_status_means(parser: Parser) -> None:
    """Whoever looks for a command copies an example: each is one that the parser takes."""
    text = parser.format_help()
    assert "exit status:" in text
    lines = [line.partition("otel-posthog ")[2] for line in (parser.epilog or "").splitlines() if line[:2] == "  "]
    # Up to what is said of it, or goes on in the shell.
    examples = [shlex.split(re.split(r" {2,}| \d?[|><#\\]|\)", line)[0]) for line in lines if line]
    assert any(words[: len(path_of(parser))] == path_of(parser) for words in examples), text
    for words in examples:
        cli.command_line().read(words)


@EVERY
def test_every_command_has_what_all_have(parser: Parser) -> None:
    """`--json` and `--color` are everywhere, with the same words; every option says what it is for."""
    options = {name: each for each in parser.options for name in each.option_strings}
    assert {"--help", "--json", "--color"} <= options.keys()
    assert tuple(options["--color"].choices or ()) == ("auto", "always", "never")
    assert all(each.help for each in parser.options)
    assert parser.summary or len(path_of(parser)) > 1
    for text in (parser.description or "", parser.epilog or ""):
        assert max(map(len, text.splitlines())) <= 80


def test_the_reference_is_that_of_these_commands() -> None:
    """`docs/commands.md` is what `make policy` would make of the parser."""
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == reference.text(), "make policy renews it"


def test_every_command_is_in_the_table_of_calls() -> None:
    """A command that is added is called here as well."""
    assert {" ".join(path_of(each)) for each in ALL} == CALLS.keys()


@pytest.mark.parametrize("path", [path for path, call in CALLS.items() if call is not None])
def test_json_is_json_without_colors(
    path: str, files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--json`, standard output is one JSON document, or one a line, whatever is asked for in colors."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    call = [files.get(each, each) for each in CALLS[path] or ()]
    assert cli.main([*path.split(), "--json", *call]) in {0, 1}
    out = capsys.readouterr().out
    assert "\x1b" not in out
    try:
        json.loads(out)
    except json.JSONDecodeError:
        for line in out.splitlines():
            json.loads(line)


@EVERY
def test_a_wrong_option_is_one_line_that_says_which_was_meant(
    parser: Parser, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to find the mistake below a page of usage."""
    required = ["x"] * sum(each.nargs is None for each in parser.values)
    if path_of(parser) == ["completion"]:
        required = ["bash"]
    if path_of(parser)[-1] == "erase":
        required = ["--all"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*path_of(parser), *required, "--jsno"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    there_is = f"{parser.prog}: there is no option --jsno; did you mean --json? (usage: {parser.prog} --help)\n"
    assert (said.out, said.err) == ("", there_is)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctr"], "otel-posthog: there is no command doctr; did you mean doctor? (usage: otel-posthog --help)"),
        (["spool", "lst"], "otel-posthog spool: there is no subcommand lst; did you mean list?"),
        (["policy", "xyzzy"], "otel-posthog policy: there is no subcommand xyzzy; there are check, show, schema"),
        (["doctor", "more"], "otel-posthog doctor: more is more than it takes"),
        (["explain"], "otel-posthog explain: the following arguments are required: FILE"),
        (["spool"], "otel-posthog spool: the following arguments are required: SUBCOMMAND"),
    ],
)
def test_a_wrong_word_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command, subcommand or value that there is not, or that is missing, is named with what there is."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == 1


def _reads(parser: Parser) -> list[list[str]]:
    """Return calls in which each FILE or DIR that a command reads stands for itself: `PLACE`."""
    named = [option.option_strings[-1] for option in parser.options if option.metavar == "FILE"]
    values = [[*path_of(parser), "PLACE"] for each in parser.values if each.metavar == "FILE"]
    beside = {"derive": ["TELEMETRY"], "explain": ["EVENTS"], "inspect": ["EVENTS"]}.get(path_of(parser)[-1], [])
    return values + [[*path_of(parser), name, "PLACE", *beside] for name in named]


@pytest.mark.parametrize("call", [call for each in ALL for call in _reads(each)], ids=" ".join)
@pytest.mark.parametrize("kind", ["missing", "a directory", "no text"])
def test_a_file_that_cannot_be_used_is_one_line(
    call: list[str], kind: str, files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file, and the status is 1 or 2."""
    writes = "--output" in call or "export" in call
    if kind == "no text" and (writes or call[0] == "inspect" or "--backend-headers-file" in call):
        return
    place = {"missing": tmp_path / "no" / "file", "a directory": tmp_path, "no text": tmp_path / "bytes"}[kind]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    if call[0] == "gateway" and ("--uuid-key-file" in call or "--backend-headers-file" in call):
        call = [*call, "--operational", "--backend", "http://127.0.0.1:9"] if "--backend-headers-file" in call else call
    status = cli.main([files.get(each, str(place) if each == "PLACE" else each) for each in call])
    said = capsys.readouterr()
    assert status in {1, 2}, said
    assert said.err.count("\n") == 1, said.err
    assert str(place) in said.err


@pytest.mark.parametrize("command", cli.COMMANDS, ids=[each.NAME for each in cli.COMMANDS])
@pytest.mark.parametrize(
    "ending",
    [
        (KeyboardInterrupt(), 130, ""),
        (FileNotFoundError(2, "No such file or directory", "/x"), 2, ": /x: No such file or directory\n"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), 2, ": a file that was named is not UTF-8 text; save"),
    ],
)
def test_what_ends_a_command_ends_every_command_in_the_same_way(
    command: Any,
    ending: tuple[BaseException, int, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C is quiet, status 130; a file that nobody expected to be missing is a line, not a traceback."""
    error, status, said = ending

    def ends(_: object) -> int:
        raise error

    monkeypatch.setattr(command, "run", ends)
    leaf = next(each for each in ALL if path_of(each)[0] == command.NAME)
    call = list(CALLS[" ".join(path_of(leaf))] or ()) or ["x"] * sum(e.nargs is None for e in leaf.values)
    assert cli.main([*path_of(leaf), *call]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said and f"{leaf.prog}{said}")
    assert shown.err.count("\n") == bool(said)


def test_a_reader_of_help_that_has_gone_is_no_error() -> None:
    """`otel-posthog --help | head -1` and its like end without a word."""
    nobody, out = os.pipe()
    os.close(nobody)
    command = [str(Path(sys.executable).with_name("otel-posthog")), "--help"]
    ran = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(out)
    assert (ran.returncode, ran.stderr) == (0, "")


class _Stream(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("names", ["", "NO_COLOR", "FORCE_COLOR", "NO_COLOR FORCE_COLOR", "TERM"])
@pytest.mark.parametrize("choice", ["auto", "always", "never"])
def test_colors_are_for_terminals_unless_somebody_says_otherwise(
    choice: str, names: str, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option wins, then NO_COLOR, then FORCE_COLOR, then what the stream is."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name in names.split():
        monkeypatch.setenv(name, "dumb")
    expected = choice == "always"
    if choice == "auto" and "NO_COLOR" not in names:
        expected = "FORCE_COLOR" in names or (is_terminal and "TERM" not in names)
    terminal.choose_color(choice)
    try:
        assert terminal.is_colored(_Stream(is_terminal=is_terminal)) is expected
    finally:
        terminal.choose_color("auto")


@pytest.mark.parametrize(("color", "is_colored"), [("always", True), ("never", False), ("auto", False)])
@pytest.mark.parametrize("call", [["doctor"], ["explain", "EVENTS"]])
def test_a_page_has_colors_where_asked_for(
    call: list[str], color: str, is_colored: bool, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Into a file too, where `--color always` says so."""
    cli.main([*(files.get(each, each) for each in call), "--color", color])
    assert ("\x1b[" in capsys.readouterr().out) is is_colored
    terminal.choose_color("auto")
