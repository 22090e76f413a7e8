"""What holds for every command and subcommand, found by walking the parser: a new one is held to it by itself."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
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
    "spool export": ["NEW"],
    "spool erase": ["--all"],
    "spool import": ["EXPORT"],
    "tail": None,
}


# What is called to say how it is with a file.
LOOKED_AT = (
    *(["derive"], ["explain"], ["inspect"], ["policy", "check"], ["policy", "show"]),
    ["collector-config", "--check"],
)


def path_of(parser: Parser) -> list[str]:
    """Return the words that call a command."""
    return parser.prog.split()[1:]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return files that commands read, and an environment in which all of them can work."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_0123456789")
    monkeypatch.setenv("POSTHOG_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    (tmp_path / "state").mkdir(mode=0o700)
    made = {name: str(tmp_path / name.lower()) for name in ("TELEMETRY", "EVENTS", "POLICY", "EXPORT", "NEW")}
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
        (["explain"], "otel-posthog explain: FILE is missing (usage: otel-posthog explain --help)"),
        (["policy", "show", "--section"], "otel-posthog policy show: --section needs a value (usage:"),
        (["spool", "erase"], "otel-posthog spool erase: --distinct-id or --all is missing (usage:"),
        (
            ["spool", "erase", "--all", "--distinct-id", "x"],
            "otel-posthog spool erase: --distinct-id and --all exclude each other (usage:",
        ),
        (["spool"], "otel-posthog spool: which subcommand? There are list,"),
        (["policy"], "otel-posthog policy: which subcommand? There are check, show, schema"),
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
    """The line names the file; the status is 1 where it was to be looked at, 2 where it was to be worked with."""
    writes = "--output" in call or "export" in call
    if kind == "no text" and (writes or call[0] == "inspect" or "--backend-headers-file" in call):
        return
    place = {"missing": tmp_path / "no" / "file", "a directory": tmp_path, "no text": tmp_path / "bytes"}[kind]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    if call[0] == "gateway" and ("--uuid-key-file" in call or "--backend-headers-file" in call):
        call = [*call, "--operational", "--backend", "http://127.0.0.1:9"] if "--backend-headers-file" in call else call
    is_looked_at = call[: call.index("PLACE")] in LOOKED_AT
    status = cli.main([files.get(each, str(place) if each == "PLACE" else each) for each in call])
    said = capsys.readouterr()
    assert status == (1 if is_looked_at else 2), said
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


@pytest.mark.parametrize(
    ("words", "unbuffered"), [(["--help"], ""), (["spool", "list", "--help"], ""), (["policy", "schema"], "1")]
)
def test_a_process_whose_reader_has_gone_ends_without_a_word(
    words: list[str], unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`otel-posthog --help | head -1` and its like: nothing is said when the interpreter ends either."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    nobody, out = os.pipe()
    os.close(nobody)
    command = [str(Path(sys.executable).with_name("otel-posthog")), *words]
    ran = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(out)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        *(("policy schema", ">&-"), ("policy schema", "<&- >&- 2>&-"), ("--help", ">&-")),
        *(("explain -", "<&-"), ("doctor --jsno", ">&-"), ("doctor --jsno", "2>&-")),
    ],
)
def test_a_process_without_a_standard_stream_works(words: str, closed: str) -> None:
    """As a service manager may start it: what is closed is empty, or takes everything."""
    command = f"{shlex.quote(str(Path(sys.executable).with_name('otel-posthog')))} {words} {closed}"
    closing = ["/bin/sh", "-c", command]
    ran = subprocess.run(closing, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    status, said = {"doctor --jsno": (2, 1), "explain -": (1, 1)}.get(words, (0, 0))
    assert (ran.returncode, ran.stderr.count("\n")) == (status, said * ("2>" not in closed)), ran.stderr
    assert not ran.stdout


def _printed_to(raw: int, *, at_once: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(os.fdopen(raw, "wb", buffering=0 if at_once else -1), write_through=at_once)


def _nobody_reads() -> int:
    nobody, out = os.pipe()
    os.close(nobody)
    return out


# Each command as it prints most, and its help: also of what starts servers, which have tests of their own.
WORDS = [[*path.split(), *call] for path, call in CALLS.items() if call is not None] + [
    [*path_of(each), "--help"] for each in ALL
]
# What is printed to: byte by byte, or all of it at the end.
OUTPUTS: dict[str, Callable[[], io.TextIOWrapper | None]] = {
    "no reader from the first byte on": lambda: _printed_to(_nobody_reads(), at_once=True),
    "no reader at the end": lambda: _printed_to(_nobody_reads(), at_once=False),
    "full from the first byte on": lambda: _printed_to(os.open("/dev/full", os.O_WRONLY), at_once=True),
    "full at the end": lambda: _printed_to(os.open("/dev/full", os.O_WRONLY), at_once=False),
    "none": lambda: None,
}


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_reader_that_goes_is_no_error_and_a_full_disk_is_one_line(
    words: list[str],
    kind: str,
    files: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a command prints, and whatever else it does with files: it is not taken for trouble with one of them."""
    out = OUTPUTS[kind]()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        try:
            status: object = cli.main([files.get(each, each) for each in words])
        except SystemExit as ended:
            status = ended.code
        if out is not None:
            out.close()
    err = capsys.readouterr().err
    if kind.startswith("full"):
        assert status == 2
        assert err.endswith(f"{cli.command_line().called_by(words).prog}: standard output: No space left on device\n")
    else:
        assert status in ({0} if "first" in kind else {0, 1}), err
        assert "standard output" not in err
    assert "pipe" not in err
    assert err.count("No space") == kind.startswith("full")


NUMBERS = [
    (parser, option)
    for parser in ALL
    for option in parser.options
    if option.metavar in {"N", "SECONDS", "RATIO"} or option.type in {int, float}
]


@pytest.mark.parametrize(
    ("parser", "option"), NUMBERS, ids=[f"{each.prog} {option.option_strings[-1]}" for each, option in NUMBERS]
)
def test_a_number_that_is_none_is_one_line_that_says_what_to_write(
    parser: Parser, option: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """No number, too small or too big a one: never a traceback, never the name of a function."""
    call = [*path_of(parser), *(CALLS[" ".join(path_of(parser))] or ())]
    for given in ("x", "", "-1", "-0.5", "nan", "inf", "-inf", "1e999", "9" * 30, "9" * 5000):
        name = option.option_strings[-1]
        with pytest.raises(SystemExit) as ended:
            cli.main([*call, f"{name}={given}"])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(f"{parser.prog}: argument {'/'.join(option.option_strings)}: write a ")
        assert said.err.count("\n") == 1


def test_every_option_that_takes_a_number_is_one_of_these() -> None:
    """None reads a number in its own way."""
    others = {each.type for parser in ALL for each in parser.options} - {each.type for _, each in NUMBERS}
    assert {getattr(each, "__name__", None) for each in others} == {None, "Path", "_directory", "_time_ns", "_module"}


@pytest.mark.parametrize("path", [path for path in CALLS if path.startswith("spool ")])
def test_a_spool_that_is_not_there_is_not_an_empty_one(
    path: str, files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes a directory or a destination is not told that nothing waits."""
    call = [*path.split(), *(files.get(each, each) for each in CALLS[path] or ())]
    wrong = [["--directory", files["EVENTS"]], ["--destination", "nosuch"]]
    if path != "spool import":  # which makes it
        wrong.append(["--directory", str(tmp_path / "nosuch")])
    for option, name in wrong:
        assert cli.main([*call, option, name]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert name in said.err


def test_an_export_takes_the_place_of_no_device(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A device or a pipe that is named stays what it is."""
    pipe = Path(files["EXPORT"]).with_name("pipe")
    os.mkfifo(pipe)
    assert cli.main(["spool", "export", str(pipe)]) == 2
    said = f"otel-posthog spool: {pipe} is no file; name a new one\n"
    assert capsys.readouterr().err == said
    assert pipe.is_fifo()


def test_a_configuration_that_cannot_be_written_names_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the system does not say which file it was."""
    assert cli.main(["collector-config", "--output", "/dev/full"]) == 2
    assert capsys.readouterr().err == "otel-posthog collector-config: /dev/full: No space left on device\n"


def test_advice_for_a_policy_that_cannot_be_read_is_right_however_it_was_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As an argument, or in the variable."""
    assert cli.main(["policy", "check", "/nonexist"]) == 1
    assert "name a readable file, as the argument or in OTEL_POSTHOG_POLICY" in capsys.readouterr().err


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
