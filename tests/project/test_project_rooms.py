"""The shape of the code: small rooms, and imports that point one way."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
MEDIAN_FILE_LINES, MEDIAN_FUNCTION_LINES = 150, 14


def sources() -> list[Path]:
    """Return every Python file of the package."""
    found = [*ROOT.glob("otel_posthog/**/*.py"), *ROOT.glob("instrumentation/**/*.py"), *ROOT.glob("examples/**/*.py")]
    assert len(found) > 30
    return found


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and length of each function in `path`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{path.name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_files_and_functions_are_small() -> None:
    """No file over 400 lines, no function over 60, and the usual ones far below."""
    files = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    functions = [each for path in files for each in function_lengths(path)]
    assert {str(path): lines for path, lines in files.items() if lines > MAX_FILE_LINES} == {}
    assert [each for each in functions if each[1] > MAX_FUNCTION_LINES] == []
    assert statistics.median(files.values()) <= MEDIAN_FILE_LINES
    assert statistics.median(length for _, length in functions) <= MEDIAN_FUNCTION_LINES


def test_private_sdk_names_sit_in_one_file() -> None:
    """Nobody but `sdk/` reaches for an underscore name of another object."""
    reached = []
    for path in sources():
        if path.parent.name == "sdk":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
                continue
            # `os._exit` and a named tuple's `_replace` are public, whatever their names look like.
            is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "os"}
            if not (is_own or node.attr == "_replace"):
                reached.append(f"{path.name}:{node.lineno} {node.attr}")
    assert reached == []


def imports_of(path: Path, modules: Collection[str]) -> frozenset[str]:
    """Return which of `modules` a file imports, also where it does so late or for types alone."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{each.name}" for each in node.names]
            found |= {name if name in modules else node.module for name in names}
    return frozenset(found.intersection(modules))


def test_no_modules_import_each_other() -> None:
    """Not even by way of others, and not even late: a circle is one module in several files."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.glob("otel_posthog/**/*.py")}
    named = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    # What a folder gives to others at its top is not part of the way between the files in it.
    imported = {name: imports_of(path, named) - {name} for name, path in named.items()}
    left = dict(imported)
    while ends := [name for name, others in left.items() if not others & left.keys()]:
        for name in ends:
            del left[name]
    assert sorted(left) == []


def test_imports_point_one_way() -> None:
    """The contracts in pyproject.toml hold."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_imports_nothing_it_does_not_use_yet() -> None:
    """Not the SDK, not posthog, not YAML, not an HTTP client: those come with their first use."""
    code = "import sys, otel_posthog; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    for name in ("opentelemetry", "posthog", "yaml", "urllib3", "requests", "flask", "rich"):
        assert f"'{name}'" not in done.stdout


def test_set_up_does_not_import_posthog() -> None:
    """posthog-python costs 112 ms and 17 MB at import; the pipeline does without it."""
    code = "import sys; import otel_posthog.setup.configure; print('posthog' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False", "False"]
