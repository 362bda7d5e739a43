import json
import math
import re

import pytest

from seglib.errors import SegError
from seglib.paths import EXPORT_REPORT
from seglib.report.exported import read_exported
from tests.export_reports import figures, timing, write_export


def test_figures_and_times_are_read_as_they_were_written(inside):
    write_export(inside, ("onnx", "onnx_int8"))
    found = read_exported()
    assert found
    assert [variant.name for variant in found.variants] == ["torch", "onnx", "onnx_int8"]
    assert (found.n, found.max_drop, found.confidence, found.batches) == (148, 0.005, 0.95, [1, 8])
    assert found.variants[2].figures["dice_drop"] == pytest.approx(0.0017)
    assert found.variants[1].latencies[1].median == 41
    assert found.variants[1].peak_memory == 410.5
    assert found.host["threads"] == 2


def test_the_trained_model_stands_first_wherever_it_is_written(inside):
    write_export(inside)
    file = EXPORT_REPORT / "metrics.json"
    file.write_text(json.dumps(dict(sorted(json.loads(file.read_text()).items()))))
    found = read_exported()
    assert found
    assert found.trained.name == "torch"


def test_without_rounds_nothing_is_timed(inside):
    write_export(inside, timed=False)
    found = read_exported()
    assert found
    assert (found.batches, dict(found.host)) == ([], {})
    assert all(math.isnan(variant.peak_memory) for variant in found.variants)


def test_a_stage_that_had_nothing_to_do_is_as_none(inside):
    write_export(inside, (), timed=False)
    assert read_exported() is None


def test_what_could_not_be_made_is_known(inside):
    write_export(inside, ("onnx",))
    (EXPORT_REPORT / "metrics.json").write_text(json.dumps(figures(("onnx",)) | {"tensorrt_skipped": 1}))
    found = read_exported()
    assert found
    assert found.skipped == ["tensorrt"]
    assert [variant.name for variant in found.variants] == ["torch", "onnx"]


def test_an_older_revision_has_no_variants(inside):
    assert read_exported() is None


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("metrics.json", "{}", "no n, so it is of older code;"),
        ("metrics.json", '{"n": NaN}', "must hold finite numbers: n is nan;"),
        ("timing.json", "{", "not valid JSON"),
        ("timing.json", "[]", "must hold a mapping, found list;"),
        ("timing.json", '{"onnx": {"batch_1": {}}}', "no onnx.batch_8;"),
        ("timing.json", '{"onnx": {"batch_1": {"median_ms": 2}, "batch_8": {}}}', "no onnx.batch_1.p95_ms;"),
        ("timing.json", '{"onnx": 3}', "no onnx.batch_1, onnx.batch_8;"),
    ],
)
def test_a_file_with_other_content_is_told(inside, name, content, told):
    write_export(inside, ("onnx",))
    (EXPORT_REPORT / name).write_text(content)
    with pytest.raises(SegError, match=f"^{re.escape(f'{EXPORT_REPORT / name}: {told}')}"):
        read_exported()


def test_a_missing_file_of_times_is_told(inside):
    write_export(inside)
    (EXPORT_REPORT / "timing.json").unlink()
    with pytest.raises(SegError, match=r"^reports/export/timing.json is missing: run `dvc repro`$"):
        read_exported()


def test_what_was_not_timed_has_no_latency(inside):
    write_export(inside, ("onnx", "tensorrt"))
    (EXPORT_REPORT / "timing.json").write_text(json.dumps(timing(("onnx",))))
    found = read_exported()
    assert found
    assert [sorted(variant.latencies) for variant in found.variants] == [[1, 8], [1, 8], []]
    assert figures(("tensorrt",))["tensorrt/dice"] == found.variants[2].figure("dice")
