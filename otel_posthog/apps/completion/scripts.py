"""The scripts: the same answers in the words of bash, zsh and fish.

In each of them a function finds by the words before the cursor which command is being called, and answers for that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import Template

from otel_posthog.apps.completion.tree import DIRECTORIES, FILES, WORDS, Node, Value

_BASH = Template("""\
# Completion of otel-posthog for bash, made by `otel-posthog completion bash`.
_otel_posthog() {
    local word command='' last="" current="$${COMP_WORDS[COMP_CWORD]}" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="$${COMP_WORDS[i]}"
        case "$$command $$word" in
$commands
        esac
        last="$$word"
    done
    # `--option=value` comes as three words.
    if [[ $$current == = ]]; then current=''
    elif [[ $$last == = ]]; then last="$${COMP_WORDS[COMP_CWORD - 2]}"
    fi
    case "$$command $$last" in
$values
    esac
    case "$$command" in
$words
    esac
}
complete -F _otel_posthog otel-posthog
""")

_ZSH = Template("""\
#compdef otel-posthog
# Completion of otel-posthog for zsh, made by `otel-posthog completion zsh`.
_otel_posthog() {
    local word command='' last='' i
    local -a found
    for ((i = 2; i < CURRENT; i++)); do
        word="$${words[i]}"
        case "$$command $$word" in
$commands
        esac
        last="$$word"
    done
    if [[ $$PREFIX == --*=* ]]; then
        last="$${PREFIX%%=*}"
        compset -P '*='
    fi
    case "$$command $$last" in
$values
    esac
    case "$$command" in
$words
    esac
}
if [[ $${funcstack[1]} == _otel-posthog ]]; then
    _otel_posthog "$$@"
else
    compdef _otel_posthog otel-posthog
fi
""")

_FISH = Template("""\
# Completion of otel-posthog for fish, made by `otel-posthog completion fish`.
function __otel_posthog_calls
    set -l command ''
    for word in (commandline -opc)[2..-1]
        switch "$$command $$word"
$commands
        end
    end
    test "$$command" = "$$argv[1]"
end
complete -c otel-posthog -f
$lines
""")


def _with_cases(
    template: Template, nodes: Sequence[Node], value_of: Callable[[Value], str], words_of: Callable[[Node], str]
) -> str:
    """Return the script of a shell that has `case`: which command is called, what an option takes, what else may come.

    Args:
        template: The script around these cases.
        nodes: The commands.
        value_of: Returns what completes a value.
        words_of: Returns what completes the words of a command: its options, else its commands or its value.
    """
    values = [
        f"        {_patterns(node, option.names)}) {value_of(option.value)}; return ;;"
        for node in nodes
        for option in node.options
        if option.value is not None
    ]
    return template.substitute(
        commands="\n".join(
            f"            {_case(each)}) command={_quoted(' '.join(each))} ;;" for each in _paths(nodes)
        ),
        values="\n".join(values),
        words="\n".join(f"        {_quoted(' '.join(each.path))}) {words_of(each)} ;;" for each in nodes),
    )


def bash(nodes: Sequence[Node]) -> str:
    """Return the script for bash."""
    return _with_cases(_BASH, nodes, _bash_value, _bash_words)


def _bash_value(value: Value) -> str:
    if value.kind == WORDS:
        return f'COMPREPLY=($(compgen -W {_quoted(" ".join(value.words))} -- "$current"))'
    if value.kind in {FILES, DIRECTORIES}:
        flag = "-d" if value.kind == DIRECTORIES else "-f"
        return f'compopt -o filenames; COMPREPLY=($(compgen {flag} -- "$current"))'
    return ":"


def _bash_words(node: Node) -> str:
    options = f'COMPREPLY=($(compgen -W {_quoted(" ".join(_names(node)))} -- "$current"))'
    rest = Value(WORDS, tuple(node.commands)) if node.commands else node.value
    other = "" if rest is None else f"else {_bash_value(rest)}; "
    return f"if [[ $current == -* ]]; then {options}; {other}fi"


def zsh(nodes: Sequence[Node]) -> str:
    """Return the script for zsh."""
    return _with_cases(_ZSH, nodes, _zsh_value, _zsh_words)


def _zsh_value(value: Value) -> str:
    if value.kind == WORDS:
        return f"compadd -- {' '.join(map(_quoted, value.words))}"
    if value.kind in {FILES, DIRECTORIES}:
        return "_files -/" if value.kind == DIRECTORIES else "_files"
    return ":"


def _zsh_words(node: Node) -> str:
    options = _described((name, each.about) for each in node.options for name in each.names)
    if node.commands:
        other = f"else found=({_described(node.commands.items())}); _describe command found; "
    else:
        other = "" if node.value is None else f"else {_zsh_value(node.value)}; "
    shown = f"found=({options}); _describe option found"
    return f"if [[ $PREFIX == -* ]]; then {shown}; {other}fi"


def _described(words: Iterable[tuple[str, str]]) -> str:
    return " ".join(_quoted(f"{word}:{about}".replace("\\", "\\\\")) for word, about in words)


def fish(nodes: Sequence[Node]) -> str:
    """Return the script for fish."""
    lines: list[str] = []
    for node in nodes:
        called = f'complete -c otel-posthog -n "__otel_posthog_calls {_quoted(" ".join(node.path))}"'
        lines += [f"{called} -a {name} -d {_quoted(about)}" for name, about in node.commands.items()]
        for option in node.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            takes = "" if option.value is None else f" {_fish_option(option.value)}"
            lines.append(f"{called} {names} -d {_quoted(option.about)}{takes}")
        if not node.commands and node.value is not None:
            lines.append(f"{called}{_fish_value(node.value)}")
    commands = "\n".join(
        f"            case {_case(each)}\n                set command {_quoted(' '.join(each))}"
        for each in _paths(nodes)
    )
    return _FISH.substitute(commands=commands, lines="\n".join(lines))


def _fish_option(value: Value) -> str:
    return f"{'-r' if value.kind == FILES else '-x'}{_fish_value(value)}"


def _fish_value(value: Value) -> str:
    if value.kind == WORDS:
        return f" -a {_quoted(' '.join(value.words))}"
    if value.kind == DIRECTORIES:
        return " -a '(__fish_complete_directories)'"
    return " -F" if value.kind == FILES else ""


def _paths(nodes: Iterable[Node]) -> list[tuple[str, ...]]:
    return [each.path for each in nodes if each.path]


def _case(path: Sequence[str]) -> str:
    """Return what stands before the word that calls a command, and that word."""
    return _quoted(f"{' '.join(path[:-1])} {path[-1]}")


def _patterns(node: Node, names: Iterable[str]) -> str:
    return "|".join(_quoted(f"{' '.join(node.path)} {name}") for name in names)


def _names(node: Node) -> list[str]:
    return [name for each in node.options for name in each.names]


def _quoted(text: str) -> str:
    """Return `text` as one word of all three shells; none of them lets a quote stand inside quotes."""
    return "'" + text.replace("'", "\u2019") + "'"


SCRIPTS: dict[str, Callable[[Sequence[Node]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
