"""`seg predict` where an image, or all of them, cannot be segmented: what is told, and what is kept."""

from pathlib import Path

import pytest
import torch

from seglib.io.images import read_image
from seglib.segmentation import Segmentation
from tests.model_cards import CARD, card
from tests.predict_command import files, seg_predict, table, write_images
from tests.predicting import write_model

pytestmark = pytest.mark.usefixtures("own_folder")


def test_a_bad_file_is_told_and_the_rest_goes_on(own, capsys):
    write_images("images", "a.png", "c.png")
    Path("images/b.png").write_bytes(Path("images/a.png").read_bytes()[:200])
    Path("images/empty.jpg").touch()
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv", "masks/a.png", "masks/c.png"]
    assert {row["id"] for row in table()} == {"a", "c"}
    failed = {row["id"]: row["reason"] for row in table("out/failed.csv")}
    assert failed.keys() == {"b", "empty"}
    said = capsys.readouterr()
    assert said.out.startswith("2 segmented")
    assert "2 failed, see out/failed.csv:\n" in said.err
    assert all(f"{name}: {reason}" in said.err for name, reason in failed.items())
    assert "Traceback" not in said.err


def test_an_image_on_which_the_network_fails_is_told_and_the_rest_goes_on():
    three_levels = CARD.options | {"channels": [4, 8, 8]}
    write_model(Path("models/best.pt"), card(padding=False, image_size=1.0, options=three_levels))
    write_images("images", "a.png", "c.png", shape=(32, 40))
    write_images("images", "b.png", shape=(30, 37))
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv", "masks/a.png", "masks/c.png"]
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "b"
    assert failed["reason"].startswith("models/best.pt: failed on values of shape (1, 3, 30, 37)")


def fail_on_a(monkeypatch, error):
    """The network raises an error for `images/a.png`."""
    segment = Segmentation.segment_together

    def odd(self, images, spacing, *, keep=False):
        if images[0][0, 0, 0] == read_image(Path("images/a.png"))[0, 0, 0]:
            raise error
        return segment(self, images, spacing, keep=keep)

    monkeypatch.setattr(Segmentation, "segment_together", odd)


def test_any_error_is_that_of_one_image(own, monkeypatch, capsys):
    write_images("images", "a.png", "b.png")
    fail_on_a(monkeypatch, ZeroDivisionError("division\nby zero"))
    assert seg_predict("images", "--out", "out") == 1
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "a"
    assert failed["reason"].startswith("cannot be processed (ZeroDivisionError: division by zero); leave it out, or ")
    assert {row["id"] for row in table()} == {"b"}
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("SEG_TRACEBACK", "1")
    assert seg_predict("images", "--out", "out", "--force") == 1
    assert "Traceback" in (said := capsys.readouterr().err)
    assert "in odd\n" in said


def test_bad_files_whose_safe_names_are_one_are_all_told(own, capsys):
    write_images("images", "whole.png")
    for name in ("a?.svs", "a*.svs"):
        Path("images", name).touch()
    assert seg_predict("images", "--out", "out") == 1
    assert [row["id"] for row in table("out/failed.csv")] == ["a_.svs", "a_.svs"]
    assert "2 failed" in capsys.readouterr().err


def test_nothing_that_can_be_read_leaves_empty_tables(own):
    Path("images").mkdir()
    Path("images/a.png").write_bytes(b"no image")
    assert seg_predict("images", "--out", "out") == 1
    assert files() == ["cases.csv", "failed.csv"]
    assert table() == []


def test_a_second_run_with_force_forgets_what_failed(own):
    write_images("images", "a.png")
    whole = Path("images/a.png").read_bytes()
    Path("images/a.png").write_bytes(whole[:100])
    assert seg_predict("images", "--out", "out") == 1
    Path("images/a.png").write_bytes(whole)
    assert seg_predict("images", "--out", "out") == 1
    assert seg_predict("images", "--out", "out", "--force") == 0
    assert files() == ["cases.csv", "masks/a.png"]


def test_an_interrupted_run_leaves_whole_files_and_a_table_of_them(own, monkeypatch):
    write_images("images", "a.png", "b.png", "c.png")
    segment, calls = Segmentation.segment_together, []

    def interrupted(self, images, spacing, *, keep=False):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return segment(self, images, spacing, keep=keep)

    monkeypatch.setattr(Segmentation, "segment_together", interrupted)
    assert seg_predict("images", "--out", "out") == 130
    assert files() == ["cases.csv", "masks/a.png", "masks/b.png"]
    assert {row["id"] for row in table()} == {"a", "b"}


def test_memory_that_is_not_there_is_a_failed_input(own, monkeypatch):
    write_images("images", "a.png", "b.png")
    fail_on_a(monkeypatch, torch.OutOfMemoryError())
    assert seg_predict("images", "--out", "out") == 1
    (failed,) = table("out/failed.csv")
    assert failed["id"] == "a"
    assert failed["reason"].startswith("needs more memory than there is")
    assert {row["id"] for row in table()} == {"b"}
