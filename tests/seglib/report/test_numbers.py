import math

import pytest

from seglib.report.numbers import amount, count, decimal, measured, megabytes, modality, percent, significant


@pytest.mark.parametrize(
    ("value", "shown"), [(0.93, "0.930"), (1, "1.000"), (-0.25, "−0.250"), (math.nan, "–"), (0.00049, "0.000")]
)
def test_decimals(value, shown):
    assert decimal(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (0.0456, "0.0456"),
        (-3.81, "−3.81"),
        (0, "0"),
        (99.96, "100.0"),
        (2, "2.00"),
    ],
)
def test_three_significant_digits(value, shown):
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.135, "13.5 %"), (0, "0.0 %"), (0.0004, "< 0.1 %"), (1, "100.0 %"), (math.nan, "–")]
)
def test_percent(value, shown):
    assert percent(value) == shown


def test_distances_have_their_unit_and_shares_none():
    assert measured("hd95", 4.683, "mm") == "4.68 mm"
    assert measured("dice", 0.5, "mm") == "0.500"


def test_counts_with_and_without_nouns():
    assert count(12345.0) == "12,345"
    assert [amount(1, "case"), amount(0, "case"), amount(2, "class", "classes")] == ["1 case", "0 cases", "2 classes"]


def test_modalities_are_written_as_people_write_them():
    assert [modality(name) for name in ("ct", "mri", "endoscopy")] == ["CT", "MRI", "endoscopy"]


@pytest.mark.parametrize(("size", "shown"), [(12, "1 kB"), (24_400, "24 kB"), (1_626_695, "1.6 MB")])
def test_sizes_of_files(size, shown):
    assert megabytes(size) == shown
