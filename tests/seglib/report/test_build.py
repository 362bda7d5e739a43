import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.metrics import CONVENTIONS
from seglib.report.build import build_report
from seglib.report.gallery import PICTURE_BUDGET
from tests.export_reports import ALL, figures, write_export, write_pruning
from tests.report_files import params

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'a' & \"b\"</script><!--",
    "../x",
    "a" * 200,
)
VOID = {"meta", "link", "img", "input", "br"}
LIMIT = 15_000_000


class Page(HTMLParser):
    """The elements of a page in order; fails where they are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of these names."""
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture
def build(draw):
    """The page of a run."""

    def run(exported=(), **options) -> str:
        draw(**options)
        if exported:
            write_export(Path(), exported)
        return build_report(params())

    return run


KINDS = {
    "one class": {},
    "several classes": {"classes": ("grey", "white", "lesion")},
    "many classes": {"classes": tuple(f"class {c}" for c in range(12))},
    "overlapping volumes": {"classes": ("lung", "infection"), "overlapping": True, "volumes": True},
    "nothing to show": {"valued": False, "drawn": 0, "thumbnails": False, "findings": False},
    "one case": {"ids": ("only",), "drawn": 1},
    "exported variants": {"exported": ALL},
    "hostile names": {"ids": HOSTILE, "classes": HOSTILE[:2], "exported": HOSTILE},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_result_makes_a_sound_page(build, kind):
    """Names for what a screen reader meets, headings in order, ids once, links with a target."""
    page = Page(build(**KINDS[kind]))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for key in ("aria-labelledby", "for"):
            assert set((attributes.get(key) or "").split()) <= set(ids)
    targets = [link["href"] for link in page.all("a")]
    assert all(target and target[1:] in ids for target in targets)
    assert all(image.get("alt") for image in page.all("img"))
    assert all("aria-hidden" in svg or "aria-labelledby" in svg or "aria-label" in svg for svg in page.all("svg"))
    named = {label["for"] for label in page.all("label") if "for" in label}
    for control in page.all("input", "select"):
        assert control.get("aria-label") or control.get("id") in named or control.get("type") == "radio"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_hostile_names_are_text(build):
    text = build(**KINDS["hostile names"])
    page = Page(text)
    scripts = page.all("script")
    assert [script.get("type") for script in scripts] == ["application/json", None]
    assert all((image["src"] or "").startswith("data:image/webp;base64,") for image in page.all("img"))
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_thousand_noisy_cases_stay_small(build):
    ids = tuple(f"a_rather_long_name_of_a_case_{i:04d}" for i in range(1000))
    text = build(ids=ids, drawn=12, noisy=True)
    assert 3_000_000 < len(text.encode()) < LIMIT
    assert text.count('"picture":"data:') == 1000


def test_many_classes_leave_fewer_small_pictures_and_no_larger_page(build):
    classes = tuple(f"class {c}" for c in range(80))
    text = build(ids=tuple(f"case {i:04d}" for i in range(1000)), classes=classes, drawn=1, noisy=True)
    assert len(text.encode()) + PICTURE_BUDGET * 4 // 3 < LIMIT
    assert 100 < text.count('"picture":"data:') < 1000


def test_missing_pictures_are_explained(build):
    assert "<code>evaluate.overlays</code>" in build(drawn=0)


def test_the_conventions_are_those_of_the_metrics(build):
    """The text of `conventions.html.j2` describes version 1; a new one needs a new text."""
    assert CONVENTIONS == 1
    assert "<p>Version 1." in build()


def test_a_figure_without_interval_names_no_cause_and_the_conventions_name_all(build):
    text = build()
    assert "no interval</p>" not in text
    assert "fewer than two groups, where it lies at an end of its scale" in text
    assert "span orders of size" in text
    file = Path("reports/evaluate/metrics.json")
    figures = {name: value for name, value in json.loads(file.read_text()).items() if name != "lesion_recall_low"}
    file.write_text(json.dumps(figures | {"lesion_recall": 1.0}))
    assert build_report(params()).count('<p class="interval">no interval</p>') == 1


def test_the_same_files_give_the_same_page(build):
    assert build() == build_report(params())


def test_exported_variants_have_a_section(build):
    text = build(exported=("onnx", "onnx_int8"))
    assert '<li><a href="#export">Export</a></li>' in text
    assert '<span class="id">ONNX, 8 bits</span>' in text
    assert text.count('<text class="name"') == 2 * 3
    assert "export.rounds=20" not in text


def test_without_exported_variants_there_is_no_such_section(build):
    assert "#export" not in build()


def test_where_nothing_was_timed_the_page_says_how(build):
    build()
    write_export(Path(), ("onnx",), timed=False)
    text = build_report(params())
    assert "Speed was not measured; <code>dvc exp run -S export.rounds=20</code> times" in text
    assert "Peak memory" not in text
    assert "Left out" not in text


def test_variants_that_could_not_be_made_are_named(build):
    build(exported=("onnx",))
    Path("reports/export/metrics.json").write_text(json.dumps(figures(("onnx",)) | {"tensorrt_skipped": 1}))
    text = build_report(params())
    assert "a GPU or a library that it needs: tensorrt. On a machine that has them, <code>dvc repro -f -s" in text


def test_what_the_pruning_did_stands_there_where_it_is_on(build):
    assert "Channels removed" not in build(exported=("onnx",))
    write_pruning(Path())
    assert "<dt>Weights</dt><dd>1,626,850 → 798,112</dd>" in build_report(params())


def test_a_missing_parameter_is_told_before_anything_is_read(params):
    del params["predict"]["flips"]
    with pytest.raises(SegError, match=r"^predict.flips: missing; add it to params.yaml$"):
        build_report(params)
