import json

import pytest

from seglib.duplicates import Pair
from seglib.quality import findings, summary, unusable

CLASSES = ["background", "one", "two"]


def facts(i, **changes):
    return {
        "id": f"case{i}",
        "group": f"patient{i}",
        "volume": None,
        "side": None,
        "source": "",
        "shape": [10, 10],
        "spacing": None,
        "dtype": "uint8",
        "pixels": [70, 20, 10],
        "ignored": 0,
        "least": 3,
        "most": 250,
        "mean": 90.5,
        "std": 30.0,
        "grey": False,
        "limits": None,
        **changes,
    }


def clean(number=10):
    return [facts(i) for i in range(number)]


def codes(samples, pairs=(), dice=()):
    return {(f.code, f.severity, f.samples) for f in findings(samples, CLASSES, pairs, dice)}


def test_clean_data_has_no_findings():
    assert codes(clean()) == set()
    assert codes([]) == set()


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"pixels": [100, 0, 0]}, "empty_mask", "note"),
        ({"pixels": [0, 60, 40]}, "full_mask", "warning"),
        ({"pixels": [0, 0, 0], "ignored": 100}, "all_ignored", "warning"),
        ({"least": 7, "most": 7}, "constant_image", "warning"),
        ({"grey": True}, "grey_among_colour", "warning"),
        ({"dtype": "uint16"}, "other_type", "error"),
        ({"dtype": "float32"}, "other_type", "error"),
    ],
)
def test_one_odd_sample_is_found(changes, code, severity):
    assert codes([*clean(), facts("X", **changes)]) >= {(code, severity, ("caseX",))}
    expected = {"narrow_range"} if changes.get("dtype") == "uint16" else set()
    assert {found[0] for found in codes([*clean(), facts("X", **changes)])} == {code} | expected


def test_8_bit_data_in_16_bits_is_found_and_black_or_full_range_is_not():
    wide = [facts(i, dtype="uint16", most=60000) for i in range(9)]
    assert codes(wide) == set()
    assert codes([*wide, facts(9, dtype="uint16", most=255)]) == {("narrow_range", "warning", ("case9",))}
    assert codes([*wide, facts(9, dtype="uint16", least=-0, most=0)]) == {("constant_image", "warning", ("case9",))}


def test_a_narrow_range_is_normal_in_volumes():
    wide = [facts(i, dtype="uint16", most=60000) for i in range(9)]
    assert codes([*wide, facts(9, dtype="uint16", most=255, volume="v")]) == set()


def test_full_masks_are_normal_where_no_mask_has_any_background():
    samples = [facts(i, pixels=[0, 60, 40]) for i in range(5)]
    assert codes(samples) == set()
    found = {("full_mask", "warning", (f"case{i}",)) for i in range(5)}
    assert codes([*samples, facts(5, pixels=[1, 59, 40])]) == found


def test_findings_name_the_file_where_it_is_known():
    samples = [*clean(), facts("A", pixels=[100, 0, 0], source="images/a.png"), facts("B", pixels=[100, 0, 0])]
    assert [(f.samples, f.files) for f in findings(samples, CLASSES, [], [])] == [
        (("caseA",), ("images/a.png",)),
        (("caseB",), ()),
    ]


def test_limits_bring_all_types_but_bytes_without_any_to_one_scale():
    scans = [
        facts(i, dtype=dtype, most=9000, limits=[[0.0], [9.0]])
        for i, dtype in enumerate(["int16", "float32", "uint16"])
    ]
    assert codes(scans) == set()
    assert codes([*scans, facts(3)]) == {("other_type", "error", ("case3",))}


def test_many_grey_images_are_variety():
    assert codes([facts(i, grey=i % 2 == 0) for i in range(10)]) == set()
    assert codes([facts(i, grey=True) for i in range(10)]) == set()


def test_no_foreground_at_all_is_an_error_told_once():
    samples = [facts(i, pixels=[100, 0, 0]) for i in range(5)]
    found = [f for f in findings(samples, CLASSES, [], []) if f.severity == "error"]
    assert [(f.code, f.samples, f.key) for f in found] == [("no_foreground", (), "no_foreground")]
    assert "255" not in found[0].fix


def test_masks_of_0_and_255_alone_are_told_to_be_read_otherwise():
    [found] = findings([facts(i, pixels=[60, 0, 0], ignored=40) for i in range(5)], CLASSES, [], [])
    assert found.code == "no_foreground"
    assert "255 is read as 'does not count' here" in found.fix


def test_a_class_that_no_mask_shows_is_named():
    samples = [facts(i, pixels=[80, 20, 0]) for i in range(5)]
    assert codes(samples) == {("absent_class", "warning", ("two",))}


def test_slices_without_foreground_are_normal_and_volumes_without_are_not():
    empty = {"pixels": [100, 0, 0]}
    lungs = [facts(i, volume="lung", **(empty if i < 6 else {})) for i in range(8)]
    assert codes(lungs) == set()
    assert codes([*lungs, facts("Y", volume="bare", **empty)]) == {("empty_mask", "note", ("caseY",))}


def test_a_plain_slice_of_a_volume_is_normal():
    assert codes([*clean(), facts("X", volume="v", least=0, most=0)]) == set()


def test_duplicates_say_how_far_the_masks_agree():
    pairs = [Pair("case1", "case2", 1.0, exact=True), Pair("case3", "case4", 0.9912, exact=False)]
    exact, near = findings(clean(), CLASSES, pairs, [1.0, 0.25])
    assert (exact.code, exact.key) == ("exact_duplicate", "exact_duplicate case1 case2")
    assert "same pixels" in exact.message
    assert "Dice 1.000" in exact.message
    assert (near.code, near.samples) == ("near_duplicate", ("case3", "case4"))
    assert "0.9912" in near.message
    assert "Dice 0.250" in near.message


def test_unusable_samples_carry_their_message():
    [found] = unusable({"case1": "case1.png: ends in mid-image"})
    assert (found.code, found.severity, found.samples) == ("unusable", "error", ("case1",))
    assert found.message == "case1.png: ends in mid-image"


def odd_data():
    return [
        *clean(),
        facts("A", pixels=[100, 0, 0]),
        facts("B", least=5, most=5),
        facts("C", dtype="int16"),
        facts("D", pixels=[0, 100, 0]),
    ]


def test_findings_come_worst_first_and_do_not_depend_on_the_order_of_the_samples():
    found = findings(odd_data(), CLASSES, [], [])
    assert [f.severity for f in found] == ["error", "warning", "warning", "note"]
    assert found == findings(odd_data()[::-1], CLASSES, [], [])


def test_keys_name_code_and_samples_and_nothing_else():
    keys = [f.key for f in findings(odd_data(), CLASSES, [], [])]
    assert keys == ["other_type caseC", "constant_image caseB", "full_mask caseD", "empty_mask caseA"]
    renamed = [sample | {"mean": 1.0, "shape": [50, 2]} for sample in odd_data()]
    assert [f.key for f in findings(renamed, CLASSES, [], [])] == keys


def test_every_finding_says_what_to_do():
    assert all(f.message and f.fix for f in findings(odd_data(), CLASSES, [], []))


def test_summary_counts_shapes_types_classes_and_quantiles():
    samples = [
        facts(0, mean=10.0, spacing=[1.0, 0.5]),
        facts(1, mean=20.0, shape=[5, 20], group="patient0"),
        facts(2, mean=30.0, pixels=[90, 0, 0], ignored=10, dtype="int16"),
    ]
    found = summary(samples, CLASSES)
    assert found["samples"] == 3
    assert found["groups"] == 2
    assert found["shapes"] == {"10×10": 2, "5×20": 1}
    assert found["spacings"] == {"unknown": 2, "1×0.5": 1}
    assert found["dtypes"] == {"uint8": 2, "int16": 1}
    assert found["mean_intensity"]["median"] == 20
    assert found["foreground_share"] == {"least": 0.0, "5%": 0.03, "median": 0.3, "95%": 0.3, "most": 0.3}
    assert found["ignored_pixels"] == 10
    assert found["classes"] == {
        "background": {"pixels": 230, "samples": 3},
        "one": {"pixels": 40, "samples": 2},
        "two": {"pixels": 20, "samples": 2},
    }
    json.dumps(found)


def test_summary_of_nothing_is_empty():
    found = summary([], CLASSES)
    assert found["samples"] == 0
    assert found["mean_intensity"] == {}
    assert found["classes"]["one"] == {"pixels": 0, "samples": 0}
