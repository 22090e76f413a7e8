"""Whose files a spool uses and removes: this user's own and no others, whatever somebody else put in their place."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spooled import drained, event, segments, spool
from strangers import DIRECTORIES, FILES, STRANGER, everything, give_away, needs_root

from otel_posthog.apps.cli import main
from otel_posthog.deliver import SpoolRoot
from otel_posthog.deliver.delivery import open_store
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Destination
from otel_posthog.private_files import ForeignError

FOLDER = SpoolRoot(Path("/")).folder_of(Destination()).name


def sealed_event(number: int) -> CleanEvent:
    """Return an event that can be imported."""
    uuid = event(number).uuid
    document = {"event": "e", "uuid": uuid, "distinct_id": "d", "timestamp": "2026-11-25T12:00:00+00:00"}
    return CleanEvent(uuid, json.dumps({**document, "options": {}, "properties": {}}).encode())


def left_behind(root: Path, *numbers: int) -> Path:
    """Leave events in a directory of a process that has ended, and return it."""
    before = set(root.glob("default/*-*"))
    store = spool(root)
    for number in numbers:
        store.put(event(number))
    store.close()
    (made,) = set(root.glob("default/*-*")) - before
    return made


def test_a_link_to_somebody_elses_folder_costs_no_file_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A start removes nothing through a link that is named like a process's directory; it is logged once."""
    victim = tmp_path / "victim"
    (victim / "below").mkdir(parents=True)
    for name in ("owner", "00000001.seg", "cursor", "report.pdf", ".new-x", "below/file"):
        (victim / name).write_bytes(b"precious")
    before = everything(victim)
    folder = tmp_path / "spool" / "default"
    folder.mkdir(parents=True)
    (folder / "0000000000001-1-aaaaaa").symlink_to(victim)
    (folder / ".new-0000000000001-1-aaaaaa").symlink_to(victim)
    (folder / "dead").symlink_to(victim)
    store = spool(tmp_path / "spool")
    store.put(event(1))
    assert len(drained(store)) == 1
    store.log()
    assert store.discard("opted_out") == 0
    store.close()
    assert everything(victim) == before
    assert caplog.text.count("0000000000001-1-aaaaaa is left alone: it is a symbolic link") == 1


def test_a_destinations_folder_that_is_not_ours_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Events wait in memory then, and one line names the folder and why."""
    for name, spoil in DIRECTORIES.items():
        if name == "another user's":
            needs_root()
        root = tmp_path / name.replace(" ", "-") / "spool"
        left_behind(root, 1)
        (root / "default").rename(root / FOLDER)
        spoil(root / FOLDER)
        before = everything(root)
        caplog.clear()
        assert isinstance(open_store(Destination(), DeliveryPolicy(), Health(), SpoolRoot(root)), MemoryStore), name
        assert f"{root}/{FOLDER} cannot be used (" in caplog.text, name
        assert everything(root) == before, name


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_not_ours_is_neither_read_nor_removed_nor_waited_for(data: st.DataObject) -> None:
    """Any part of what a process left may be a stranger's: ours comes out, the rest stays as it was."""
    root = Path(tempfile.mkdtemp()) / "spool"
    try:
        good = left_behind(root, 1, 2)
        bad = left_behind(root, 11, 12)
        parts: dict[str, Path] = {"directory": bad, "owner": bad / "owner", "cursor": bad / "cursor"}
        parts["segment"] = bad / "00000001.seg"
        part = data.draw(st.sampled_from(sorted(parts)))
        kinds = DIRECTORIES if part == "directory" else FILES
        kind = data.draw(st.sampled_from(sorted(kinds)))
        if kind == "another user's" and os.geteuid() != 0:
            return
        kinds[kind](parts[part])
        left = everything(root.parent)
        store = spool(root)
        out = {each.uuid for each in drained(store)}
        if data.draw(st.booleans()):
            store.discard("opted_out")
        store.close()
        assert {event(1).uuid, event(2).uuid} <= out
        assert not good.exists()
        if part in {"directory", "owner", "segment"}:
            assert out == {event(1).uuid, event(2).uuid}
        name = str(parts[part].relative_to(root.parent))
        now = everything(root.parent)
        assert {key: value for key, value in now.items() if key.startswith(name)} == {
            key: value for key, value in left.items() if key.startswith(name)
        }
        assert {key: value for key, value in now.items() if ".aside" in key or ".linked" in key} == {
            key: value for key, value in left.items() if ".aside" in key or ".linked" in key
        }
    finally:
        shutil.rmtree(root.parent)


NAMES = st.sampled_from(
    ["00000001.seg", "00000007.seg", "cursor", "owner", "notes.txt", ".hidden", "1.seg", "0000001.seg.bak", "dead"]
)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, st.binary(max_size=200) | st.just(b"plain text\n" * 2000), min_size=1), st.randoms())
def test_nothing_is_removed_that_has_not_both_our_name_and_our_content(files: dict[str, bytes], chance: Random) -> None:
    """A directory of this user that is called like ours by chance keeps every file that says something."""
    root = Path(tempfile.mkdtemp()) / "spool"
    try:
        directory = root / "default" / "0000000000001-1-aaaaaa"
        directory.mkdir(parents=True)
        for name, content in files.items():
            (directory / name).write_bytes(content)
        root.chmod(0o755)
        store = spool(root)
        drained(store)
        if chance.random() < 0.5:
            store.discard("opted_out")
        store.close()
        spool(root).close()
        for name, content in files.items():
            is_blank = not any(content[:24])
            may_be_ours = content.startswith({"owner": b"{", "cursor": b"OPHC"}.get(name, b"\x89OPHSPL\n"))
            if not is_blank and not may_be_ours:
                assert (directory / name).read_bytes() == content, name
    finally:
        shutil.rmtree(root.parent)


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_dead_letter_that_is_not_ours_stays(kind: str, tmp_path: Path) -> None:
    """As for what waits: neither a clearing nor an expiry removes it."""
    if kind == "another user's":
        needs_root()
    store = spool(tmp_path)
    for number in range(2):
        store.put(event(number))
        store.dead_letter(store.take(1, 10**6), "rejected")
    first, second = sorted((tmp_path / "default" / "dead").iterdir())
    FILES[kind](first)
    store.discard("opted_out")
    store.close()
    assert first.is_symlink() or first.exists()
    assert not second.exists()


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_whatever_the_umask_only_this_user_can_read_or_write(umask: int, tmp_path: Path) -> None:
    """All that is made, parents of the spool too, and what the state directory has: 0700 and 0600."""
    code = (
        "import os, sys; os.umask(int(sys.argv[2])); from pathlib import Path; root = Path(sys.argv[1])\n"
        "from spooled import spool, event\n"
        "store = spool(root / 'a' / 'b' / 'spool'); store.put(event(1))\n"
        "store.dead_letter(store.take(1, 10**6), 'rejected')\n"
        "from otel_posthog.identity import load_installation, DailySalts; from otel_posthog import set_collection\n"
        "import time; os.environ['OTEL_POSTHOG_STATE_DIR'] = str(root / 'c' / 'd' / 'state')\n"
        "found = load_installation(os.environ); assert found.claim_notice()\n"
        "DailySalts(found.directory).at(time.time_ns()); set_collection(False)\n"
        "os._exit(0)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "made"), str(umask)],
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")},
    )
    paths = [tmp_path / "made", *(tmp_path / "made").rglob("*")]
    assert len(paths) > 14
    for path in paths:
        assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_configured_directory_may_be_roots_or_shared(tmp_path: Path) -> None:
    """As the volumes of containers are: what counts is below it."""
    for mode in (0o755, 0o777, 0o1777, 0o2775):
        root = tmp_path / f"{mode:o}"
        root.mkdir()
        if os.geteuid() == 0:
            os.chown(root, STRANGER, STRANGER)
        root.chmod(mode)
        left_behind(root, 1)
        assert len(drained(spool(root))) == 1
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "777")
    left_behind(link, 2)
    assert len(drained(spool(link))) == 1


def test_a_link_of_another_user_in_the_configured_directorys_place_is_not_followed(tmp_path: Path) -> None:
    """In a shared directory anybody can make one."""
    needs_root()
    (tmp_path / "victim").mkdir()
    (tmp_path / "spool").symlink_to(tmp_path / "victim")
    os.chown(tmp_path / "spool", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(ForeignError, match="symbolic link of another user"):
        spool(tmp_path / "spool")
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_volume_that_was_handed_to_a_group_keeps_what_waits(tmp_path: Path) -> None:
    """Kubernetes makes all in a volume writable for its `fsGroup` at each mount; another group's stays refused."""
    root = tmp_path / "volume"
    left_behind(root, 1)
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | (0o2070 if path.is_dir() else 0o060))
    assert len(drained(spool(root))) == 1
    if os.geteuid() == 0:
        left_behind(root, 2)
        os.chown(segments(root)[0], 0, STRANGER)
        segments(root)[0].chmod(0o660)
        assert len(drained(spool(root))) == 0


def test_a_process_uses_nothing_that_root_or_another_user_left(tmp_path: Path) -> None:
    """A daemon that was started as root once, say: told, and left for who it belongs to."""
    needs_root()
    directory = left_behind(tmp_path, 1)
    give_away(directory)
    assert len(spool(tmp_path)) == 0
    assert len(segments(tmp_path)) == 1


def test_roots_command_line_works_for_one_other_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It sees and takes what one user has throughout, makes what it makes that user's, and leaves what is mixed."""
    needs_root()
    root = tmp_path / "spool"
    store = spool(root)
    for number in (1, 2):
        store.put(sealed_event(number))
    store.close()
    store = spool(root)
    store.put(sealed_event(3))
    store.dead_letter(store.take(1, 10**6), "rejected")
    store.close()
    give_away(root)
    mixed = root / "default" / "0000000000001-1-aaaaaa"
    shutil.copytree(next(root.glob("default/*-*")), mixed)
    os.chown(mixed, 0, 0)
    assert main(["spool", "list", "--directory", str(root)]) == 0
    out = capsys.readouterr().out
    assert "2 events waiting" in out
    assert "1 dead letter" in out
    assert main(["spool", "replay", "--directory", str(root)]) == 0
    assert main(["spool", "export", "--directory", str(root), str(tmp_path / "file")]) == 0
    assert "3 events written" in capsys.readouterr().out
    assert main(["spool", "import", "--directory", str(root), str(tmp_path / "file")]) == 0
    for path in root.rglob("*"):
        if mixed not in {path, *path.parents}:
            assert path.stat().st_uid == STRANGER, path
    assert len(list(mixed.iterdir())) == 3


def test_no_path_leads_out_of_the_directory(tmp_path: Path) -> None:
    """Whoever asks for a file elsewhere has made a mistake."""
    with pytest.raises(ValueError):
        OsFiles(tmp_path / "spool").open(tmp_path / "elsewhere")
