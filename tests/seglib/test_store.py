import os
import time
from concurrent.futures import ProcessPoolExecutor

from seglib import store


def test_saved_entry_is_loaded(tmp_path):
    store.save(tmp_path, "key", b"content")
    assert bytes(store.load(tmp_path, "key") or b"") == b"content"


def test_absent_entry_is_none(tmp_path):
    assert store.load(tmp_path, "key") is None


def test_altered_entry_is_never_used(tmp_path):
    store.save(tmp_path, "key", b"content")
    with (tmp_path / "key").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"X")
    assert store.load(tmp_path, "key") is None


def test_torn_entry_is_never_used(tmp_path):
    store.save(tmp_path, "key", b"content")
    (tmp_path / "key").write_bytes((tmp_path / "key").read_bytes()[:-3])
    assert store.load(tmp_path, "key") is None


def test_trim_deletes_the_longest_unused_first_and_spares_those_in_use(tmp_path):
    for age, key in enumerate("abcd"):
        store.save(tmp_path, key, bytes(100))
        used = time.time() - 2 * store.IN_USE_SECONDS - age
        os.utime(tmp_path / key, (used, used))
    store.save(tmp_path, "fresh", bytes(1000))
    assert store.trim(tmp_path, limit_bytes=1500) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b", "c", "fresh"]
    assert store.trim(tmp_path, limit_bytes=0) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["fresh"]


def _write_many(folder):
    for _ in range(50):
        store.save(folder, "key", b"the same content")


def test_writers_at_once_leave_one_whole_entry_and_nothing_else(tmp_path):
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_write_many, [tmp_path] * 4))
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    assert store.load(tmp_path, "key") is not None
