"""The build cache under success, failure, races and age."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from hwgen.errors import ToolError
from hwgen.flow import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HWGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_hello(folder: Path) -> None:
    (folder / "hello").write_text("hello")


def fail(folder: Path) -> None:
    (folder / "half").write_text("written")
    raise RuntimeError("compiler died")


def test_the_second_request_finds_the_first_build():
    first = cache.build(["x"], write_hello)
    assert cache.build(["x"], fail) == first
    assert (first / "hello").read_text() == "hello"


def test_different_material_gives_different_entries(tmp_path):
    source = tmp_path / "source.cpp"
    source.write_text("one")
    first = cache.build(["flags", source], write_hello)
    source.write_text("two")
    assert cache.build(["flags", source], write_hello) != first


def test_the_key_sees_part_boundaries_and_file_names_but_not_where_files_lie(tmp_path):
    assert cache.content_key(["ab", "c"]) != cache.content_key(["a", "bc"])
    for place, name in (("one", "f.h"), ("two", "f.h"), ("three", "g.h")):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "sub" / name).write_text("text")
    one, two, three = (cache.content_key([tmp_path / place]) for place in ("one", "two", "three"))
    assert one == two != three


def test_a_failed_build_leaves_nothing_and_can_be_tried_again(own_cache):
    with pytest.raises(RuntimeError, match="compiler died"):
        cache.build(["x"], fail)
    assert [path.suffix for path in own_cache.iterdir()] == [".lock"]
    assert (cache.build(["x"], write_hello) / "hello").exists()


def test_the_remains_of_a_killed_build_are_cleared(own_cache):
    remains = own_cache / (cache.content_key(["x"]) + ".part")
    remains.mkdir(parents=True)
    (remains / "half").write_text("written")
    assert [path.name for path in cache.build(["x"], write_hello).iterdir()] == ["hello"]


def slow_counting_builder(folder: Path) -> None:
    with Path(os.environ["BUILD_LOG"]).open("a") as log:
        log.write("built\n")
    (folder / "first").write_text("1")
    time.sleep(0.2)
    (folder / "last").write_text("2")


def ask(_: int) -> bool:
    entry = cache.build(["shared"], slow_counting_builder)
    return (entry / "first").exists() and (entry / "last").exists()


def test_racing_processes_build_once_and_all_see_a_complete_entry(tmp_path, monkeypatch):
    monkeypatch.setenv("BUILD_LOG", str(tmp_path / "log"))
    with multiprocessing.get_context("fork").Pool(8) as pool:
        assert all(pool.map(ask, range(32), chunksize=1))
    assert (tmp_path / "log").read_text() == "built\n"


def test_entries_unused_for_a_month_are_removed_by_the_next_build():
    old, used = cache.build(["old"], write_hello), cache.build(["used"], write_hello)
    long_ago = time.time() - 40 * 86400
    os.utime(old, (long_ago, long_ago))
    os.utime(used, (long_ago, long_ago))
    cache.build(["used"], fail)  # a use
    cache.build(["new"], write_hello)
    assert not old.exists()
    assert used.exists()


def test_a_cache_that_cannot_be_made_is_one_clear_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HWGEN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(ToolError, match="set HWGEN_CACHE_DIR"):
        cache.build(["x"], write_hello)
