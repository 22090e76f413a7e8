"""Completion, asked of the shells themselves for every command, option and value that the parser has."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from needs import needs

from otel_posthog.apps.cli import command_line
from otel_posthog.apps.completion.scripts import SCRIPTS
from otel_posthog.apps.completion.tree import WORDS, Node, nodes

NODES = list(nodes(command_line()))
WHAT_FOR = "completes a command line for real"

Asked = dict[str, set[str]]
"""What is typed, and what the shell is to offer; files aside."""


def asked() -> Asked:
    """Return what is asked, of all that there is."""
    found: Asked = {}
    for node in NODES:
        typed = " ".join(("otel-posthog", *node.path, ""))
        if node.commands or (node.value is not None and node.value.kind == WORDS):
            found[typed] = {*node.commands} or {*(node.value.words if node.value else ())}
        found[f"{typed}--"] = {name for each in node.options for name in each.names if name.startswith("--")}
        for option in node.options:
            if option.value is not None and option.value.kind == WORDS:
                found[f"{typed}{option.names[-1]} "] = {*option.value.words}
    return found


def script(shell: str, folder: Path) -> Path:
    """Return the file with the script for `shell`."""
    path = folder / f"completion.{shell}"
    path.write_text(SCRIPTS[shell](NODES), encoding="utf-8")
    return path


def ran(shell: str, program: str, folder: Path) -> str:
    """Return what `shell` prints when it runs `program`."""
    words = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[shell]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    command = [needs(shell, WHAT_FOR), *words, program]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def offered(printed: str) -> Asked:
    """Return what was offered, from lines of `#` and what was typed, each followed by lines of offers."""
    found: Asked = {}
    for block in printed.split("#typed ")[1:]:
        typed, *lines = block.split("\n")
        found[typed] = {line.split("\t")[0] for line in lines if line}
    return found


def test_bash_completes_all_of_it(tmp_path: Path) -> None:
    """Its function is called as bash does it on a tabulator."""
    lines = [f"source {script('bash', tmp_path)}"]
    for typed in asked():
        *words, last = typed.split(" ")
        array = " ".join(f"'{word}'" for word in (*words, last))
        call = f"COMP_WORDS=({array}); COMP_CWORD={len(words)}; _otel_posthog"
        lines.append(f"echo '#typed {typed}'; {call}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    assert offered(ran("bash", "\n".join(lines), tmp_path)) == asked()


def test_fish_completes_all_of_it(tmp_path: Path) -> None:
    """`complete -C` is what fish itself asks."""
    lines = [f"source {script('fish', tmp_path)}"]
    lines += [f"echo '#typed {typed}'; complete -C '{typed}'" for typed in asked()]
    assert offered(ran("fish", "\n".join(lines), tmp_path)) == asked()


def test_zsh_completes_all_of_it(tmp_path: Path) -> None:
    """Its function is called with what zsh's line editor sets, and offers by the same builtins."""
    lines = [
        "compdef() { }; _describe() { print -rl -- ${found%%:*} }; compadd() { shift; print -rl -- $@ }; _files() { }",
        f"source {script('zsh', tmp_path)}",
    ]
    for typed in asked():
        *words, last = typed.split(" ")
        array = " ".join(f"'{word}'" for word in (*words, last))
        call = f"words=({array}); CURRENT={len(words) + 1}; PREFIX='{last}'; _otel_posthog"
        lines.append(f"print -r -- '#typed {typed}'; {call}")
    shown = offered(ran("zsh", "\n".join(lines), tmp_path))
    assert {
        typed: {each for each in found if typed[-2:] != "--" or each[:2] == "--"} for typed, found in shown.items()
    } == asked()


TERMINAL = """
zmodload zsh/zpty
zpty typed zsh -f -i
answer() {{ local out; zpty -r -m typed out "*$1*" || exit 1; print -r -- $out }}
zpty -w typed "PS1='> '; autoload -Uz compinit; compinit -u -D; source {script}; print LOA''DED"
answer LOADED
zpty -w -n typed $'otel-posthog spool dr\\t'
answer 'spool drain'
"""


def test_zsh_completes_at_a_terminal(tmp_path: Path) -> None:
    """In an interactive zsh, with its own completion system, a tabulator finishes the word."""
    shown = ran("zsh", TERMINAL.format(script=script("zsh", tmp_path)), tmp_path)
    assert "drain" in shown


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_files_are_offered_where_a_file_is_taken(shell: str, tmp_path: Path) -> None:
    """For the argument of a command and for options, and no files where none is taken; folders where one is."""
    (tmp_path / "events.json").write_text("{}", encoding="utf-8")
    (tmp_path / "spool-folder").mkdir()
    cases = {
        "otel-posthog explain e": {"events.json"},
        "otel-posthog explain --policy e": {"events.json"},
        "otel-posthog spool list --directory s": {"spool-folder"},
        "otel-posthog spool list --destination e": set[str](),
        "otel-posthog doctor e": set[str](),
    }
    lines = [f"source {script(shell, tmp_path)}"]
    for typed in cases:
        words = typed.split(" ")
        if shell == "bash":
            array = " ".join(f"'{word}'" for word in words)
            ask = f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _otel_posthog 2>/dev/null"
            ask += '; printf "%s\\n" "${COMPREPLY[@]}"'
        else:
            ask = f"complete -C '{typed}'"
        lines.append(f"echo '#typed {typed}'; {ask}")
    shown = offered(ran(shell, "\n".join(lines), tmp_path))
    assert {typed: {each.rstrip("/") for each in found} for typed, found in shown.items()} == cases


def test_the_scripts_are_of_every_node() -> None:
    """What is walked is what there is: commands, subcommands, and the options of each."""
    paths = {node.path for node in NODES}
    assert {(), ("spool",), ("spool", "list"), ("completion",)} <= paths
    assert all(isinstance(node, Node) and node.options for node in NODES)
