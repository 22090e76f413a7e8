"""The package as people have it: its wheel unpacked, its wheel as one file; nothing knows of a checkout.

`pyinstaller --onefile` was tried by hand with the program of the second test: what it needs is that the package is
modules only, which that test holds.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from processes import PROGRAMS, command, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's content, as an installer makes it."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_opentelemetry_instrument_pytest_starts_with_warnings_as_errors(installed: Path, tmp_path: Path) -> None:
    """Pytest warns of plugins that are imported before it rewrites them; of ours it does not, and its fixtures work."""
    (tmp_path / "test_own.py").write_text("def test_own(fake_posthog):\n    assert fake_posthog.url\n")
    nothing = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    variables = environment(otlp="http://127.0.0.1:9", posthog=None, PYTHONPATH=str(installed), **nothing)
    words = (command("opentelemetry-instrument"), command("pytest"), "-W", "error", "-p", "no:cacheprovider")
    with running(*words, "test_own.py", environ=variables, cwd=tmp_path) as tree:
        assert tree.process.wait(120) == 0, tree.out
        assert "1 passed" in tree.out, tree.out


def test_it_works_from_one_file(wheel: Path, fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """As in a zipapp, or frozen by PyInstaller: there are modules and no files beside them."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, PYTHONPATH=f"{wheel}:{PROGRAMS}")
    program = (
        "import otel_posthog, runpy, sys\n"
        "print('from', otel_posthog.__file__)\n"
        "sys.argv = ['by_hand.py', 'before']\n"
        f"runpy.run_path({str(PROGRAMS / 'by_hand.py')!r}, run_name='__main__')\n"
    )
    with running(sys.executable, "-c", program, environ=variables, cwd=tmp_path) as tree:
        assert tree.process.wait(60) == 0, tree.out
        assert f"from {wheel}" in tree.out, tree.out
    assert len(fake_posthog.events) == 9
    assert b"analytics." not in otlp_sink.raw_bytes


def test_every_module_can_be_imported_from_one_file(wheel: Path, tmp_path: Path) -> None:
    """And the commands that print say what they say elsewhere; the help desk of the demo is a program of its own."""
    program = (
        "import pkgutil, importlib, otel_posthog\n"
        "for each in pkgutil.walk_packages(otel_posthog.__path__, 'otel_posthog.'):\n"
        "    if 'apps.demo.helpdesk' not in each.name and not each.name.endswith('__main__'):\n"
        "        importlib.import_module(each.name)\n"
        "from otel_posthog.apps.cli import main\n"
        "main(['policy', 'schema']); main(['policy', 'show']); main(['collector-config'])\n"
        "print(otel_posthog.__file__)"
    )
    environ = {"PYTHONPATH": str(wheel), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(str(wheel))


def test_old_instrumentations_find_the_extra_that_they_ask_for(installed: Path) -> None:
    """`instruments`, of nothing; without it they load no further instrumentor of anybody's."""
    (metadata,) = installed.glob("*.dist-info/METADATA")
    fields = Parser().parsestr(metadata.read_text(encoding="utf-8"))
    assert "instruments" in (fields.get_all("Provides-Extra") or [])
    assert [each for each in fields.get_all("Requires-Dist") or [] if "'instruments'" in each] == []
