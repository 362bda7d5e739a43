"""What paths and patterns name is settled before anything is read."""

from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.inputs.named import passed_over, select


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("d/p1/img.png", "d/p2/img.png", "d/p10/img.png", "d/p10/note.txt", "d/.hidden/img.png", "e/[1].png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def places(*paths: str) -> list[tuple[str, str]]:
    return [(str(path), place) for path, place in select(paths).named]


def test_the_only_folder_is_what_names_are_relative_to(here):
    assert places("d") == [("d", "")]
    assert places("d/p1/..") == [("d/p1/..", "")]
    assert (select(["d/p1"]).home, select([str(here / "d/p1/.")]).home) == ("p1", "p1")


def test_several_are_named_relative_to_the_folder_that_holds_them_all(here):
    assert places("d/p2/img.png", "d/p1") == [("d/p2/img.png", "p2/img.png"), ("d/p1", "p1")]
    assert places("d/p2/img.png") == [("d/p2/img.png", "img.png")]
    assert select(["d/p2/img.png", "d/p1"]).home == "d"


def test_a_pattern_matches_in_natural_order_and_without_hidden_files(here):
    assert places("d/*/*.png") == [(f"d/{name}", f"{name}") for name in ("p1/img.png", "p2/img.png", "p10/img.png")]
    assert places(f"{here}/d/**/*.png")[2] == (f"{here}/d/p10/img.png", "p10/img.png")
    assert places("d/.h*/*.png") == [("d/.hidden/img.png", "img.png")]


def test_what_lies_inside_a_named_folder_counts_once(here):
    assert places("d/p1/img.png", "d", "d/", "d/p2") == [("d", "")]
    assert places("d/**") == [("d", "")]
    assert places("d/p1/img.png", "./d/p1/img.png") == [("d/p1/img.png", "img.png")]


def test_a_file_may_be_called_like_a_pattern(here):
    assert places("e/[1].png") == [("e/[1].png", "[1].png")]


def test_everything_that_is_not_there_is_told_at_once(here):
    (here / "loop").symlink_to("loop")
    with pytest.raises(SegError) as caught:
        select(["d", "nowhere.png", "x/*.png", "loop", "d/**.png", "\0"])
    assert str(caught.value).splitlines() == [
        "nowhere.png: does not exist; name an image, a folder or an archive",
        "x/*.png: no file matches; put it in quotes where the shell shall leave it as it is",
        "loop: is a link that leads nowhere; mend it, or name the file itself",
        "d/**.png: no pattern of paths (Invalid pattern: '**' can only be an entire path component)",
        "\0: does not exist; name an image, a folder or an archive",
    ]


def test_naming_nothing_is_told():
    with pytest.raises(SegError, match="nothing is named"):
        select([])


def test_patterns_pass_over_the_folder_of_the_results(here):
    (here / "d/out/masks").mkdir(parents=True)
    (here / "d/out/masks/img.png").write_bytes(b"")
    out = Path("d/out")

    def found(*paths: str) -> list[str]:
        return [str(path) for path, _ in select(paths, [out]).named]

    assert found("d/**/*.png") == ["d/p1/img.png", "d/p2/img.png", "d/p10/img.png"]
    assert found("d/*") == ["d/p1", "d/p2", "d/p10"]
    assert found("d/p1", "d/out", "d/p2") == ["d/p1", "d/p2"]  # as the shell writes d/* out
    assert found("d/out/*/*.png") == ["d/out/masks/img.png"]
    assert found("d/p1/img.png", str(here / "d/out/masks/img.png"))[1] == str(here / "d/out/masks/img.png")


@pytest.mark.parametrize("out", ["d", "link"])
def test_patterns_that_begin_in_the_folder_of_the_results_pass_over_what_lies_in_its_own_folders(here, out):
    (here / "d/masks").mkdir()
    (here / "d/masks/img.png").write_bytes(b"")
    (here / "link").symlink_to(here / "d")
    results = [Path(out), Path(out, "masks")]
    for pattern in ("d/*/*.png", "d/**/*.png", "link/*/*.png"):
        assert [place for _, place in select([pattern], results).named] == ["p1/img.png", "p2/img.png", "p10/img.png"]
    assert [str(path) for path, _ in select(["d/masks/*.png"], results).named] == ["d/masks/img.png"]


def test_the_folder_of_the_results_is_not_all_that_is_named(here):
    (here / "link").symlink_to(here / "d")
    for paths in (["d"], ["d/", "link"], [str(here / "d")]):
        assert passed_over(paths, [Path("d")]) == paths
        with pytest.raises(SegError, match=r"results among the images .*; name another --out"):
            select(paths, [Path("d")])
    assert passed_over(["d", "e", "nowhere", "\0"], [Path("link")]) == ["d"]
    assert select(["d", "e"], [Path("link")]).home == "e"
