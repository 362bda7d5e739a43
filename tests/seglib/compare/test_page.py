import base64
from html.parser import HTMLParser

import pytest

from seglib.compare.comparison import CaseChange
from seglib.compare.page import as_page, write_page
from seglib.compare.sides import Kind, RecipeChange
from seglib.errors import SegError
from tests.comparisons import compared

HOSTILE = '<script>alert("1")</script> & <img src=x onerror=alert(1)>'


class Page(HTMLParser):
    """Tags with their attributes, and all text outside of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags[-1:] and self.tags[-1][0] not in ("style", "script"):
            self.text += data


def test_the_page_tells_the_verdict_the_figures_and_what_changed():
    page = Page(as_page(compared(notes=("main is out of date",)), {}, {}))
    for words in (
        "Verdict: fail",
        f"T{compared().comparison.reason[1:]}.",
        f"The verdict speaks of {compared().comparison.subject}.",
        "main (0a1b2c3) → workspace: 40 cases in 20 groups.",
        "main is out of date.",
        "-0.0700 to -0.0300",
        "model.unetpp.depth",
        "dice alone decides.",
    ):
        assert words in page.text
    assert "Neither parameters" in Page(as_page(compared(recipe=()), {}, {})).text


def test_pictures_of_base_and_head_stand_side_by_side():
    page = Page(as_page(compared(), {"up": b"before", "same": b"not shown"}, {"up": b"after", "down": b"worse"}))
    pictures = [(found["alt"], found["src"]) for tag, found in page.tags if tag == "img"]
    assert [alt for alt, _ in pictures] == [
        "Errors of base in case up",
        "Errors of head in case up",
        "Errors of head in case down",
    ]
    contents = [base64.b64decode(str(source).removeprefix("data:image/webp;base64,")) for _, source in pictures]
    assert contents == [b"before", b"after", b"worse"]
    assert page.text.count("no picture") == 1


def test_ids_names_and_values_are_text():
    hostile = compared(
        cases=(CaseChange(HOSTILE, HOSTILE, 0, 1, 1.0),),
        recipe=(RecipeChange(Kind.PARAMETER, HOSTILE, (HOSTILE,), (HOSTILE,)),),
        notes=(HOSTILE,),
        base=HOSTILE,
    )
    page = Page(as_page(hostile, {HOSTILE: b"picture"}, {}))
    harmless = Page(as_page(compared(cases=(CaseChange("up", "g", 0, 1, 1.0),)), {"up": b"picture"}, {}))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == [tag for tag, _ in harmless.tags].count("script") == 1
    assert tags.count("img") == 1
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
    assert page.text.count("alert(") >= 5


def test_nothing_is_loaded():
    page = Page(as_page(compared(), {"up": b"before"}, {}))
    sources = [value for _, found in page.tags for key, value in found.items() if key in ("src", "href")]
    assert all(str(value).startswith(("data:", "#")) for value in sources)


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    write_page(tmp_path / "page.html", compared(), {}, {})
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    with pytest.raises(SegError, match=r"cannot write .*absent/page\.html: No such file"):
        write_page(tmp_path / "absent/page.html", compared(), {}, {})
