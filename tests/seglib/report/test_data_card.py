import json
from pathlib import Path

import pytest

from seglib.report.data_card import FINDINGS, data_card
from seglib.report.results import Results, read_results


def edit(name: str, change) -> Results:
    """Change a file's content, and read all files again."""
    content = json.loads(Path(name).read_text())
    change(content)
    Path(name).write_text(json.dumps(content))
    return read_results()


def checks(results) -> list[bool]:
    return [check.holds for check in data_card(results).checks]


def test_facts_classes_and_sides(write):
    card = data_card(write())
    facts = dict(card.facts)
    assert facts["Samples"] == "42 in 30 groups that the split never parts"
    assert facts["Licence"] == "research and education only"
    assert [(row.name, row.share, row.samples) for row in card.classes] == [
        ("background", "66.7 %", 42),
        ("polyp", "33.3 %", 42),
    ]
    assert [(side.name, side.samples, side.groups) for side in card.sides] == [
        ("training", 14, 14),
        ("validation", 4, 4),
        ("test", 24, 12),
    ]
    assert card.counted == "1 warning; 1 more was looked at and accepted."


def test_a_good_split_passes_every_check(write):
    card = data_card(write())
    assert all(check.holds for check in card.checks)
    assert "2 near-identical images in 1 cluster are kept together" in card.checks[2].text


def test_an_image_on_two_sides_is_found(write):
    write()
    results = edit("data/split.json", lambda split: split["val"].append("train-003"))
    assert checks(results) == [False, False, True, True]
    assert data_card(results).checks[0].text == "Images on several sides: train-003"


def test_a_group_on_two_sides_is_found(write):
    write()

    def join(index):
        for sample in index["samples"]:
            if sample["id"] in ("val-001", "case-00"):
                sample["group"] = "one"

    results = edit("data/index.json", join)
    assert checks(results) == [True, False, True, True]
    assert data_card(results).checks[1].text == "Groups on several sides: one"


def test_near_identical_images_on_two_sides_are_found(write):
    write()
    results = edit("data/quality.json", lambda quality: quality["clusters"].append(["train-005", "case-03"]))
    assert checks(results) == [True, True, False, True]
    assert data_card(results).checks[2].text == "Near-identical images on several sides: train-005/case-03"


@pytest.mark.parametrize("side", ["test", "val"])
def test_figures_of_another_test_side_are_found(write, side):
    write()
    results = edit("data/split.json", lambda split: split[side].append(split["test"].pop()))
    assert checks(results)[3] is (side == "test")


def test_no_duplicates_and_no_findings(write):
    card = data_card(write(findings=False))
    assert card.checks[2].text == "No two images are near-identical."
    assert (card.counted, card.findings) == ("No findings.", [])


def test_long_lists_are_cut(write):
    write()
    results = edit("data/quality.json", lambda quality: quality["findings"].extend(quality["findings"] * 99))
    assert len(data_card(results).findings) == FINDINGS
    assert data_card(results).counted.startswith("100 warnings")
    results = edit(
        "data/quality.json", lambda quality: quality["summary"].update(shapes={f"{i}×1": 9 - i for i in range(8)})
    )
    assert dict(data_card(results).facts)["Sizes, pixels"].endswith("and 3 more")
