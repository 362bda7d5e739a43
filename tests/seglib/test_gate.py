import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from seglib.errors import SegError
from seglib.gate import draw_contact_sheet, inspect, read_accepted
from seglib.io.cache import open_cache
from seglib.io.images import read_image
from seglib.io.sample import IGNORE, Sample, SegClass, Spec
from seglib.preprocessing import CacheBuilder
from seglib.quality import Finding
from seglib.sections.check import Check
from seglib.sections.preprocess import Preprocess

SPEC = Spec((SegClass("background", (0, 0, 0)), SegClass("one", (200, 30, 30))), 3, "photograph", "", "")
CHECK = Check(near_duplicate=0.98, contact_sheet=12)


def preprocess(resize="stretch"):
    values = {
        "image_size": 64,
        "resize": resize,
        "spacing": [],
        "window": [-1000.0, 400.0],
        "percentiles": [0.5, 99.5],
        "shards": 3,
        "store_limit_gb": 1.0,
        "backend": "threads",
        "scheduler": "",
    }
    return Preprocess.model_validate(values)


def picture(seed, shape=(80, 96), channels=3, dtype="uint8"):
    """A smooth random picture and a mask of a disc."""
    random = np.random.default_rng(seed)
    depth = shape[:-2]
    planes = [
        cv2.resize(random.integers(0, 256, (7, 6), dtype=np.uint8), shape[::-1][:2], interpolation=cv2.INTER_CUBIC)
        for _ in range(channels * int(np.prod(depth)))
    ]
    image = np.stack(planes, -1).reshape(*shape[-2:], *depth, channels)
    image = np.moveaxis(image, 2, 0) if depth else image
    mask = np.zeros(shape[-2:], np.uint8)
    cv2.circle(mask, (20 + seed % 30, 40), 15, 1, -1)
    return image.astype(dtype), np.broadcast_to(mask, shape).copy()


def sample(name, image, mask, **fields):
    return Sample(id=name, group=name, image=lambda: image, mask=lambda: mask, fingerprint=lambda: name, **fields)


class Gate:
    """Samples that went through the cache, and what the gate says of them."""

    def __init__(self, folder, samples, spec=SPEC, settings=None):
        self.dataset = json.loads(json.dumps(asdict(spec)))
        cache = folder / "cache"
        self.built = CacheBuilder(samples, spec, settings or preprocess(), "", cache, folder / "store").build()
        self.cache = open_cache(cache)

    def report(self, accepted=()):
        return inspect(self.built.facts, self.dataset, self.cache, CHECK, list(accepted), self.built.problems)

    def sheet(self, path, report=None, number=12):
        draw_contact_sheet(path, report or self.report(), self.dataset, self.cache, number)
        return read_image(path)


def clean(number=12, **fields):
    return [sample(f"p{i:02d}", *picture(i, **fields)) for i in range(number)]


def faulty():
    """A bad mask, an empty one, a plain image, and a copy whose mask differs."""
    image, mask = picture(3)
    return [
        *clean(),
        sample("bad", image, mask + np.uint8(1)),
        sample("copy", image, np.roll(mask, 15, 1)),
        sample("empty", picture(50)[0], np.zeros_like(mask)),
        sample("plain", np.full_like(image, 9), mask),
    ]


@pytest.mark.parametrize("resize", ["stretch", "pad", "native"])
def test_clean_data_has_no_findings(tmp_path, resize):
    report = Gate(tmp_path, clean(), settings=preprocess(resize)).report()
    assert (report.findings, report.accepted, report.clusters) == ([], [], [])
    lines = report.describe().splitlines()
    assert lines[:2] == ["12 samples in 12 groups, uint8", "sizes: 80×96 (12)"]
    assert lines[2].startswith("classes, as a share of the pixels and in how many samples: background 9")
    assert ", one " in lines[2]
    assert lines[3:] == ["0 errors, 0 warnings, 0 notes, 0 accepted"]
    assert report.summary["samples"] == 12


def test_faults_are_found_and_the_masks_of_copies_compared(tmp_path):
    report = Gate(tmp_path, faulty()).report()
    assert [finding.key for finding in report.findings] == [
        "unusable bad",
        "constant_image plain",
        "exact_duplicate copy p03",
        "grey_among_colour plain",
        "empty_mask empty",
    ]
    assert [finding.code for finding in report.errors] == ["unusable"]
    assert "mask value 2, but the largest is 1" in report.errors[0].message
    mask = picture(3)[1]
    both = (mask & np.roll(mask, 15, 1)).sum()
    told = float(report.findings[2].message.rpartition(" ")[2])
    assert told == pytest.approx(both / mask.sum(), abs=0.05)
    assert report.clusters == [["copy", "p03"]]


def test_ignored_pixels_are_no_foreground_of_a_copy(tmp_path):
    image, mask = picture(3)
    framed = mask.copy()
    framed[60:] = IGNORE
    report = Gate(tmp_path, [*clean(), sample("copy", image, framed)], settings=preprocess("native")).report()
    [found] = report.findings
    assert float(found.message.rpartition(" ")[2]) > 0.99


def test_copies_of_different_size_are_compared(tmp_path):
    image, mask = picture(3)
    small = [cv2.resize(each, (48, 40), interpolation=cv2.INTER_NEAREST) for each in (image, mask)]
    report = Gate(tmp_path, [*clean(), sample("copy", *small)], settings=preprocess("native")).report()
    [found] = report.findings
    assert found.key == "near_duplicate copy p03"
    assert float(found.message.rpartition(" ")[2]) > 0.9


def test_accepted_findings_are_silent_but_errors_never(tmp_path):
    gate = Gate(tmp_path, faulty())
    keys = [finding.key for finding in gate.report().findings]
    report = gate.report(accepted=[*keys, "constant_image gone"])
    assert [finding.key for finding in report.findings] == ["unusable bad"]
    assert [finding.key for finding in report.accepted] == keys[1:]
    assert report.clusters == [["copy", "p03"]]
    assert "1 error, 0 warnings, 0 notes, 4 accepted" in report.describe()


def test_the_report_is_json_with_all_that_was_found(tmp_path):
    report = Gate(tmp_path, faulty()).report(accepted=["empty_mask empty"])
    content = json.loads(report.as_json())
    assert [entry["key"] for entry in content["findings"]] == [finding.key for finding in report.findings]
    assert content["findings"][0].keys() == {"code", "severity", "samples", "message", "fix", "files", "key"}
    assert content["accepted"] == ["empty_mask empty"]
    assert content["clusters"] == [["copy", "p03"]]
    assert content["summary"]["classes"]["one"]["samples"] == 14


def test_many_findings_of_a_kind_are_cut_in_the_message_only(tmp_path):
    mask = picture(0)[1]
    empty = [sample(f"e{i:02d}", picture(100 + i)[0], np.zeros_like(mask)) for i in range(15)]
    report = Gate(tmp_path, [*clean(), *empty]).report()
    told = report.describe().splitlines()
    assert told[0].startswith("27 samples in 27 groups")
    assert told[3].startswith("note: empty_mask (15): check that")
    assert told[14] == "    and 5 more"
    assert told[-1] == "0 errors, 0 warnings, 15 notes, 0 accepted"
    assert len(json.loads(report.as_json())["findings"]) == 15


def test_a_message_names_samples_with_their_files(tmp_path):
    empty = np.zeros((80, 96), np.uint8)
    known = sample("known", picture(50)[0], empty, source="images/known.png")
    told = Gate(tmp_path, [*clean(), known, sample("other", picture(51)[0], empty)]).report().describe().splitlines()
    assert told[4:6] == [
        "    known (images/known.png): the mask shows only background",
        "    other: the mask shows only background",
    ]


def test_what_concerns_no_sample_is_said_of_the_data_set(tmp_path):
    samples = [sample(f"p{i}", picture(i)[0], np.zeros((80, 96), np.uint8)) for i in range(3)]
    told = Gate(tmp_path, samples).report().describe().splitlines()
    assert told[4] == "    the data set: no mask shows any class but the background"


def test_data_of_which_nothing_is_usable_has_a_report(tmp_path):
    image, mask = picture(0)
    report = Gate(tmp_path, [sample("a", image, mask + np.uint8(7)), sample("b", image[:4], mask)]).report()
    assert [finding.key for finding in report.findings] == ["unusable a", "unusable b"]
    json.loads(report.as_json())


def test_accepted_findings_are_read_with_comments(tmp_path):
    file = tmp_path / "accepted.txt"
    file.write_text("# seen\n\nempty_mask  case#1   # on purpose\nnear_duplicate a b\n   \n#empty_mask c\n")
    assert {"empty_mask case#1", "near_duplicate a b"} <= set(read_accepted(file))
    assert not {"empty_mask c", "seen", "", "#", "empty_mask"} & set(read_accepted(file))
    with pytest.raises(SegError, match="is missing; an empty file accepts nothing"):
        read_accepted(tmp_path / "none.txt")


@pytest.mark.parametrize("name", ["case#1", "my  case", "case 7 ", "#1", "case #1"])
def test_every_key_is_read_as_it_was_written(tmp_path, name):
    key = Finding("empty_mask", "note", (name,), "", "").key
    (tmp_path / "accepted.txt").write_text(f"{key}\n")
    assert key in read_accepted(tmp_path / "accepted.txt")


def test_the_sheet_shows_odd_samples_first(tmp_path):
    gate = Gate(tmp_path, faulty())
    small, full = gate.sheet(tmp_path / "small.png", number=3), gate.sheet(tmp_path / "full.png", number=400)
    assert small.shape[1] < full.shape[1]
    width, height = small.shape[1] // 3, small.shape[0]
    np.testing.assert_array_equal(small[:, : 3 * width], full[:height, : 3 * width])
    unmarked = Gate(tmp_path / "clean", clean())
    assert (unmarked.sheet(tmp_path / "clean.png", number=1)[18:30] == 255).all()
    assert (small[18:30] < 200).any()


def test_of_a_padded_volume_a_slice_that_counts_is_shown_and_compared(tmp_path):
    samples = clean(4, shape=(5, 80, 96))
    image, mask = samples[1].image(), samples[1].mask()
    gate = Gate(tmp_path, [*samples, sample("twin", image, np.roll(mask, 40, 2))], settings=preprocess("pad"))
    [found] = gate.report().findings
    assert "Dice 0.000" in found.message
    sheet = gate.sheet(tmp_path / "sheet.png", number=1)
    image, masked = sheet[50:80, 4:132].astype(int), sheet[50:80, 134:262].astype(int)
    changed = (image != masked).any(2)
    assert 0.03 < changed.mean() < 0.5
    assert (masked[changed] == (200, 30, 30)).all(1).any()


@pytest.mark.parametrize("shape", [(80, 96), (5, 80, 96)], ids=["plane", "volume"])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_every_kind_of_data_goes_through_the_gate(tmp_path, shape, channels, dtype):
    samples = clean(8, shape=shape, channels=channels, dtype=dtype)
    twin = replace(samples[2], id="twin", group="twin")
    gate = Gate(tmp_path, [*samples, twin], spec=replace(SPEC, channels=channels))
    report = gate.report()
    assert [finding.key for finding in report.findings] == ["exact_duplicate p02 twin"]
    assert "Dice 1.000" in report.findings[0].message
    assert gate.sheet(tmp_path / "sheet.png").shape == (2 * 168, 6 * 266, 3)


def test_overlapping_classes_go_through_the_gate(tmp_path):
    classes = (*SPEC.classes, SegClass("two", (30, 30, 200)))
    spec = replace(SPEC, classes=classes, overlapping=True)
    samples = []
    for i in range(10):
        image, mask = picture(i)
        samples.append(sample(f"p{i}", image, mask | (np.roll(mask, 10, 1) << 1)))
    gate = Gate(tmp_path, samples, spec)
    assert gate.report().findings == []
    assert gate.report().summary["classes"]["two"]["samples"] == 10
    assert gate.sheet(tmp_path / "sheet.png") is not None
