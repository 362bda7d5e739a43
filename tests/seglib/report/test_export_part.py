import json

import pytest

from seglib.errors import SegError
from seglib.paths import EXPORT_REPORT
from seglib.report.export_part import export_part, form
from tests.export_reports import figures, write_export, write_pruning


@pytest.fixture
def section(inside):
    """The section of variants whose figures in `metrics.json` are changed; None takes one away."""

    def build(*variants: str, timed: bool = True, **changed: float | None):
        write_export(inside, variants, timed=timed)
        found = figures(variants) | {key.replace("__", "/"): value for key, value in changed.items()}
        (EXPORT_REPORT / "metrics.json").write_text(json.dumps({key: v for key, v in found.items() if v is not None}))
        part = export_part()
        assert part
        return part

    return build


def test_an_older_revision_has_no_section(inside):
    assert export_part() is None


def test_a_variant_is_told_in_numbers_with_units(section):
    part = section("onnx_int8")
    torch, row = part.rows
    assert (row.name, row.form, row.dice, row.drop) == ("onnx_int8", "ONNX, 8 bits", "0.8914", "0.0017")
    assert (row.interval, row.error, row.size, row.memory) == ("0.0013 to 0.0021", "0.310", "6.7 MB", "410 MB")
    assert [speed.median for speed in row.speeds] == ["17.1 ms", "109 ms"]
    assert [speed.gain for speed in row.speeds] == ["3.6 × as fast", "3.6 × as fast"]
    assert [speed.gain for speed in torch.speeds] == ["", ""]
    assert part.confidence == "95 %"


def test_the_trained_model_is_not_judged(section):
    row = section("onnx").rows[0]
    assert (row.drop, row.interval, row.error, row.mark, row.verdict) == ("–", "", "–", "", "the trained model")


@pytest.mark.parametrize(
    ("drop", "high", "mark", "verdict"),
    [
        (0.001, 0.002, "holds", "the drop is within the limit"),
        (-0.02, -0.01, "holds", "the drop is within the limit"),
        (0.005, 0.005, "holds", "the drop is within the limit"),
        (0.004, 0.0051, "holds", "the drop is within the limit, its interval is not"),
        (0.004, None, "holds", "the drop is within the limit; too few groups for an interval"),
        (0.0051, 0.0052, "fails", "the drop is above the limit"),
        (0.0051, None, "fails", "the drop is above the limit"),
        (None, None, "", "not judged: no image has a Dice"),
    ],
)
def test_the_gate_is_told_in_words(section, drop, high, mark, verdict):
    row = section("onnx", onnx__dice_drop=drop, onnx__dice_drop_high=high).rows[1]
    assert (row.mark, row.verdict) == (mark, verdict)


def test_a_pruned_model_is_not_judged_and_its_variants_are_beside_it(section):
    _, pruned, onnx, integers = section("pruned", "pruned_onnx", "pruned_onnx_int8").rows
    assert (pruned.drop, pruned.mark, pruned.verdict) == (
        "0.0121",
        "",
        "a smaller network: its drop is told, not judged",
    )
    assert (onnx.drop, onnx.mark) == ("0.0121", "holds")
    assert onnx.verdict == "the drop from pruned, 0.0000, is within the limit"
    assert integers.verdict == "the drop from pruned, 0.0017, is within the limit"
    failing = section("pruned", "pruned_onnx", pruned_onnx__dice_drop_from_pruned=0.006).rows[2]
    assert (failing.mark, failing.verdict) == ("fails", "the drop from pruned, 0.0060, is above the limit")


def test_what_the_pruning_did_is_told(section, inside):
    assert section("onnx").pruned == []
    write_pruning(inside, ratio=0.0)
    assert section("onnx").pruned == []
    write_pruning(inside)
    assert section("onnx").pruned == [
        ("Channels removed", "30.0 %"),
        ("Weights", "1,626,850 → 798,112"),
        ("GFLOPs for an image", "6.50 → 3.20"),
        ("Validation Dice", "0.8931 → 0.4100 when cut → 0.8810 trained on"),
    ]


def test_a_broken_report_of_the_pruning_is_told(section, inside):
    write_pruning(inside, flops_after=None)
    with pytest.raises(SegError, match=r"^reports/prune/metrics.json: no flops_after"):
        section("onnx")


def test_a_tiny_error_is_told_as_smaller(section):
    assert section("onnx").rows[1].error == "< 0.00001"
    assert section("onnx", onnx__max_error=0).rows[1].error == "0"


def test_without_times_there_are_neither_speeds_nor_charts(section):
    part = section("onnx", timed=False)
    assert all(not row.speeds and row.memory == "–" for row in part.rows)
    assert (part.charts, part.host) == ([], [])


def test_where_it_was_timed_is_told(section):
    assert section("onnx").host == [
        ("Processor", "A processor"), ("Cores", "4"), ("Threads", "2"),
        ("Version of torch", "2.13.0"), ("Version of onnxruntime", "1.31.0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("torch", "PyTorch"),
        ("pruned", "PyTorch, pruned"),
        ("pruned_onnx_int8", "ONNX, 8 bits, pruned"),
        ("openvino_fp16", "OpenVINO, 16 bits"),
        ("program", "torch.export"),
        ("another", "another"),
    ],
)
def test_formats_in_words(name, words):
    assert form(name) == words
