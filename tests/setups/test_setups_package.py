"""What is published: what is in the wheel, that the sdist makes the same, and that both work where nothing else is.

Each is installed into an environment of its own, with the locked versions of what it depends on and no extra but the
one that is asked for; nothing there knows of this checkout. The figures of a start are printed, whatever they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from needs import lacking

from benchmarks.start import PROGRAM
from otel_posthog.testing import FakePostHog, OtlpSink

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

# Of a start with the SDK and OTLP, and generous: it took 152 modules and 6 MB.
MOST_MODULES, MOST_MB = 190, 12
# What each extra is for, imported where there is no other.
EXTRAS = {
    "auto": "import opentelemetry.distro, opentelemetry.exporter.otlp.proto.grpc; import otel_posthog.setup.zero_code",
    "demo": "import otel_posthog.apps.demo.run, otel_posthog.apps.demo.command",
    "gateway": "import otel_posthog.apps.gateway.server",
    "inspect": "import otel_posthog.apps.inspector.session",
    "testing": "from otel_posthog.testing import FakePostHog, OtlpSink; import otel_posthog.testing.fixtures",
    "instruments": "import otel_posthog.setup.configure",
    "all": "import otel_posthog.apps.demo.run, otel_posthog.apps.gateway.server",
}
EVENT = """
import otel_posthog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
otel_posthog.configure()
with trace.get_tracer("t").start_as_current_span("s", attributes={"analytics.event": "ticket_created"}) as span:
    span.set_attribute("analytics.property.note", "mail jo@example.org")
assert otel_posthog.flush(30)
print(otel_posthog.__file__)
"""


def built(target: str, source: Path, folder: Path) -> Path:
    """Return what hatchling builds of `source`."""
    words = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    (made,) = (each for each in folder.iterdir() if each.suffix in {".whl", ".gz"})
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution of this checkout."""
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


Install = Callable[[str], Path]


@pytest.fixture(scope="module")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Return what makes an environment with the wheel and one extra, and returns its interpreter."""
    uv = BIN / "uv"
    if not uv.exists():
        lacking("uv is not installed: it makes the environments of this test in seconds")
    folder = tmp_path_factory.mktemp("environments")
    locked = folder / "locked.txt"
    # Without hashes: the wheel has none.
    exported = [line.split(" \\")[0] for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()]
    locked.write_text("\n".join(line for line in exported if line[:1].isalnum()), encoding="utf-8")
    made: dict[str, Path] = {}

    def make(extra: str) -> Path:
        if extra not in made:
            environment = folder / (extra or "none")
            what = f"otel-posthog[{extra}] @ {wheel.as_uri()}" if extra else f"otel-posthog @ {wheel.as_uri()}"
            for words in (
                ["venv", "--quiet", "--python", sys.executable, str(environment)],
                ["pip", "install", "--quiet", "--python", str(environment / "bin/python"), "-c", str(locked), what],
            ):
                done = subprocess.run([str(uv), *words], capture_output=True, text=True, check=False, timeout=300)
                assert done.returncode == 0, done.stderr
            made[extra] = environment / "bin/python"
        return made[extra]

    return make


def ran(command: list[str | Path], folder: Path, **variables: str) -> str:
    """Return what a program in another environment prints."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONWARNINGS": "error", **variables}
    words = [str(each) for each in command]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(path: Path) -> dict[str, bytes]:
    """Return the files in a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {each: archive.read(each) for each in archive.namelist()}


def test_the_wheel_has_what_runs_and_nothing_else(wheel: Path) -> None:
    """Packages, what marks them as typed, the licence, pages and schemas; no tests, caches, lists or notes."""
    names = set(contents(wheel))
    info = next(each for each in names if each.endswith("/METADATA")).split("/")[0]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        lacking("this is no clone: which files belong to the project is not known")
    expected = {each for each in tracked if each.startswith("otel_posthog/")}
    expected |= {each.removeprefix("instrumentation/") for each in tracked if each.startswith("instrumentation/otel")}
    helpdesk = {each for each in tracked if each.startswith("examples/helpdesk/")}
    expected |= {each.replace("examples/helpdesk", "otel_posthog/apps/demo/helpdesk") for each in helpdesk}
    expected |= {f"{info}/{each}" for each in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == expected
    for each in ("otel_posthog/py.typed", "otel_posthog/policy/policy.schema.json"):
        assert each in names
    assert any(each.startswith("otel_posthog/apps/inspector/page/") and each.endswith(".html") for each in names)
    assert [each for each in names if "/tests/" in each or "__pycache__" in each or each.endswith(".pyc")] == []


def test_the_sdist_makes_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """Who builds it without this repository gets the same files, byte for byte."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    (tmp_path / "wheel").mkdir()
    assert contents(built("wheel", source, tmp_path / "wheel")) == contents(wheel)
    names = {str(each.relative_to(source)) for each in source.rglob("*") if each.is_file()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "tests/conftest.py"} <= names
    assert [each for each in names if "__pycache__" in each or each.startswith((".venv", "site/"))] == []


def test_without_an_extra_it_sends_an_event_and_its_command_runs(
    install: Install, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """`pip install otel-posthog` alone: set-up, filters, delivery, and each command that needs no more."""
    python = install("")
    variables = {"POSTHOG_API_KEY": fake_posthog.api_key, "POSTHOG_HOST": fake_posthog.url}
    assert str(python.parents[1]) in ran([python, "-c", EVENT], tmp_path, **variables)
    (event,) = fake_posthog.events
    assert (event.event, event.properties["note"]) == ("ticket_created", "mail [email]")
    command = python.with_name("otel-posthog")
    assert "exit status" in ran([command, "--help"], tmp_path)
    assert json.loads(ran([command, "policy", "show", "--json"], tmp_path, **variables))["collection"]["enabled"]
    missing = subprocess.run([command, "gateway"], capture_output=True, text=True, check=False, timeout=60)
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert 'pip install "otel-posthog[gateway]"' in missing.stderr


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_alone_has_what_it_is_for(extra: str, install: Install, tmp_path: Path) -> None:
    """None needs another, and none is missing something that the development environment happens to have."""
    ran([install(extra), "-c", EXTRAS[extra]], tmp_path, PYTHONWARNINGS="default")


def test_the_extras_are_those_of_the_wheel(wheel: Path) -> None:
    """One that is added is tried as well."""
    metadata = next(text for name, text in contents(wheel).items() if name.endswith("/METADATA")).decode()
    assert {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-Extra: ")} == set(EXTRAS)


@pytest.mark.alone
def test_a_start_takes_no_more_modules_and_memory_than_it_may(
    install: Install, otlp_sink: OtlpSink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As people have it, with the SDK and OTLP; the time is printed, since it is the machine's as well."""
    variables = {
        "POSTHOG_API_KEY": "phc_package",
        "POSTHOG_HOST": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url,
        "PYTHONWARNINGS": "default",
    }
    python = install("auto")
    starts = [json.loads(ran([python, PROGRAM], tmp_path, **variables).splitlines()[-1]) for _ in range(4)]
    least = {name: min(each[name] for each in starts) for name in starts[0]}
    with capsys.disabled():
        shown = "{cpu_ms:.0f} ms of CPU, {wall_ms:.0f} ms, {memory_mb:.1f} MB, {modules} modules".format(**least)
        sys.stdout.write(f"\nimport and configure() over the SDK with OTLP, from the wheel: {shown}\n")
    assert least["modules"] <= MOST_MODULES
    assert least["memory_mb"] <= MOST_MB
