"""The TinyDB storage: plain TinyDB agrees with it, and nothing that goes wrong costs the file."""

import os
from pathlib import Path

import pytest
from tinydb import TinyDB, where

from tests.unit.storage.support import FULL, FaultyFiles, mode, names
from tui.core.errors import StorageError, StorageErrorKind
from tui.storage.json_storage import AtomicJSONStorage
from tui.storage.rows import rows_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "data.json"


def test_tinydb_works_on_it_and_plain_tinydb_reads_the_same(path: Path) -> None:
    with TinyDB(path, storage=AtomicJSONStorage) as database:
        table = database.table("words")
        table.insert_multiple({"word": word} for word in ("one", "two", "three"))
        table.update({"word": "zwei"}, where("word") == "two")
        table.remove(where("word") == "three")
        kept = table.all()

    with TinyDB(path) as plain:
        assert plain.table("words").all() == kept == [{"word": "one"}, {"word": "zwei"}]


def test_it_reads_what_plain_tinydb_wrote(path: Path) -> None:
    with TinyDB(path) as plain:
        plain.table("words").insert({"word": "h\u00e9"})

    with TinyDB(path, storage=AtomicJSONStorage) as database:
        assert database.table("words").all() == [{"word": "h\u00e9"}]


def test_what_tinydb_changes_in_its_copy_changes_nothing_here(path: Path) -> None:
    storage = AtomicJSONStorage(path)
    storage.write({"a": {"1": {"x": 1}}})
    copy = storage.read()
    assert copy
    copy["a"]["1"]["x"] = 2

    assert storage.read() == {"a": {"1": {"x": 1}}}


def test_a_file_is_parsed_again_only_when_it_changed(path: Path) -> None:
    storage = AtomicJSONStorage(path)
    storage.write({"a": {"1": {"x": 1}}})
    first = storage.load()
    assert storage.load() is first

    AtomicJSONStorage(path).write({"a": {"1": {"x": 2}}})
    assert storage.changed()
    assert storage.read() == {"a": {"1": {"x": 2}}}


def test_a_replacement_of_the_same_size_and_time_is_noticed(path: Path) -> None:
    storage = AtomicJSONStorage(path)
    storage.write({"a": {"1": {"x": 1}}})
    storage.load()
    status = path.stat()
    for value in range(2, 9):
        AtomicJSONStorage(path).write({"a": {"1": {"x": value}}})
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert storage.changed()
        assert storage.read() == {"a": {"1": {"x": value}}}


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 100, b'{"a": 1}'])
def test_a_damaged_file_is_left_alone_and_its_evidence_kept_once(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for _ in range(3):
        with pytest.raises(StorageError) as caught:
            AtomicJSONStorage(path).load()
        assert caught.value.kind is StorageErrorKind.CORRUPT

    assert path.read_bytes() == content
    evidence = list(path.parent.glob("data.json.corrupt-*"))
    assert [copy.read_bytes() for copy in evidence] == [content]
    assert mode(evidence[0]) == 0o600
    assert evidence[0].name in str(caught.value)
    assert "ctroom restore" in str(caught.value)


@pytest.mark.parametrize("call", ["create", "write", "fsync", "replace"])
def test_a_failed_save_leaves_the_file_and_no_rubbish(path: Path, call: str) -> None:
    files = FaultyFiles()
    storage = AtomicJSONStorage(path, files)
    storage.write({"a": {"1": {"x": 1}}})

    files.fail(call, FULL)
    with pytest.raises(StorageError) as caught:
        storage.write({"a": {"1": {"x": 2}}})
    assert caught.value.kind is StorageErrorKind.FULL
    assert storage.read() == {"a": {"1": {"x": 1}}}

    files.heal()
    storage.write({"a": {"1": {"x": 3}}})
    assert AtomicJSONStorage(path).read() == {"a": {"1": {"x": 3}}}
    assert names(path.parent) == ["data.json"]


def test_a_failed_sync_of_the_directory_is_told_and_the_truth_read_again(path: Path) -> None:
    files = FaultyFiles()
    storage = AtomicJSONStorage(path, files)
    storage.write({"a": {"1": {"x": 1}}})

    files.fail("fsync_directory", 5)
    with pytest.raises(StorageError):
        storage.write({"a": {"1": {"x": 2}}})

    assert storage.read() == AtomicJSONStorage(path).read()


def test_a_temporary_file_of_a_crash_is_in_nobodys_way(path: Path) -> None:
    (path.parent / ".data.json.tmp").write_text("half")
    AtomicJSONStorage(path).write({"a": {"1": {"x": 1}}})

    assert names(path.parent) == ["data.json"]


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.symlink_to(elsewhere / "real.json")

    AtomicJSONStorage(path).write({"a": {"1": {"x": 1}}})
    AtomicJSONStorage(path).write({"a": {"1": {"x": 2}}})

    assert path.is_symlink()
    assert AtomicJSONStorage(elsewhere / "real.json").read() == {"a": {"1": {"x": 2}}}
    assert names(elsewhere) == ["real.json"]


@pytest.mark.parametrize("umask", [0, 0o777])
def test_files_are_private_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        AtomicJSONStorage(path).write({})
    finally:
        os.umask(before)

    assert mode(path) == 0o600


def test_a_loose_file_is_mended_when_it_is_read(path: Path) -> None:
    AtomicJSONStorage(path).write({})
    path.chmod(0o664)

    AtomicJSONStorage(path).load()

    assert mode(path) == 0o600


def test_a_directory_or_a_pipe_in_the_files_place_is_told_at_once(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageError, match="not a regular file") as caught:
        AtomicJSONStorage(path).load()
    assert caught.value.kind is StorageErrorKind.UNREADABLE
    with pytest.raises(StorageError, match="something else has its name"):
        AtomicJSONStorage(path).write({})

    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(StorageError, match="not a regular file"):
        AtomicJSONStorage(path).load()


def test_an_unreadable_file_is_told_in_one_sentence(path: Path) -> None:
    files = FaultyFiles()
    AtomicJSONStorage(path).write({})
    files.fail("open", 13)

    with pytest.raises(StorageError, match="You may not read") as caught:
        AtomicJSONStorage(path, files).load()
    assert caught.value.kind is StorageErrorKind.UNREADABLE


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (28, StorageErrorKind.FULL, "disk is full"),
        (122, StorageErrorKind.FULL, "disk is full"),
        (27, StorageErrorKind.FULL, "disk is full"),
        (30, StorageErrorKind.UNWRITABLE, "read-only"),
        (13, StorageErrorKind.UNWRITABLE, "may not write"),
        (5, StorageErrorKind.UNWRITABLE, "could not be saved"),
    ],
)
def test_each_refusal_of_the_system_has_its_sentence(
    path: Path, number: int, kind: StorageErrorKind, words: str
) -> None:
    files = FaultyFiles()
    files.fail("create", number)

    with pytest.raises(StorageError, match=words) as caught:
        AtomicJSONStorage(path, files).save({"a": rows_of({})})
    assert caught.value.kind is kind


def test_descriptors_are_given_back(path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for value in range(20):
        storage = AtomicJSONStorage(path)
        storage.write({"a": {"1": {"x": value}}})
        storage.load()
        storage.close()

    assert len(list(Path("/dev/fd").iterdir())) == before
