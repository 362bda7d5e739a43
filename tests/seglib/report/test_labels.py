from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.report.charts import LEFT, TOP, WIDTH, Frame, Scale
from seglib.report.labels import Box, around, covered, place_labels

FRAME = Frame(Scale([0, 1], LEFT, WIDTH - 20), Scale([0, 1], 560, TOP), "x", "y", 600)
SHARES = st.floats(0, 1)
LONGEST = "pruned_openvino_int8"


@settings(max_examples=40)
@given(st.lists(st.tuples(SHARES, SHARES), max_size=8), st.integers(1, len(LONGEST)))
def test_names_cover_neither_each_other_nor_dots(points, length):
    dots = [FRAME.dot(x, y, "") for x, y in points]
    labels = place_labels([LONGEST[:length]] * len(dots), dots, FRAME)
    boxes = [covered(label) for label in labels]
    for place, box in enumerate(boxes):
        assert not any(box.meets(other) for other in boxes[:place])
        assert not any(box.meets(around(dot)) for dot in dots)
        assert FRAME.x.start <= box.left
        assert box.right <= WIDTH


def test_a_name_with_room_stands_right_of_its_dot_and_one_at_the_end_left():
    first, second = place_labels(["one", "two"], [FRAME.dot(0, 0.5, ""), FRAME.dot(1, 0.5, "")], FRAME)
    assert (first.anchor, second.anchor) == ("start", "end")
    assert all(label.y == label.dot.y for label in (first, second))


def test_a_name_that_finds_no_room_at_its_dot_moves_no_further_than_needed():
    dot, other = FRAME.dot(0, 0.5, ""), FRAME.dot(0, 0.49, "")
    first, second = place_labels(["one", "two"], [dot, other], FRAME)
    assert first.y == dot.y
    assert 16 <= abs(second.y - first.y) <= 22


def test_a_name_wider_than_the_chart_is_shown_nevertheless():
    labels = place_labels(["x" * 80], [FRAME.dot(0.5, 0.5, "")], FRAME)
    assert [label.text for label in labels] == ["x" * 80]


def test_boxes_that_touch_do_not_meet():
    box = Box(0, 0, 2, 2)
    assert not box.meets(Box(2, 0, 4, 2))
    assert not box.meets(Box(0, 2, 2, 4))
    assert box.meets(Box(1, 1, 4, 4))
