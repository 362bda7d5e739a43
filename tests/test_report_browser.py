"""The report in real Chromium: quiet, offline, for every width, by mouse and by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seglib.report.build import build_report
from tests.browser import BINARY, browser, find_browser, open_file
from tests.export_reports import ALL, write_export
from tests.report_files import Made, params, write_files

HOSTILE = "<script>alert(1)</script>"
IDS = (HOSTILE, *(f"case-{i:03d}" for i in range(1, 60)))


def test_a_browser_that_is_asked_for_must_be_there(monkeypatch):
    monkeypatch.setenv(BINARY, "no-such-browser")
    with pytest.raises(AssertionError, match="SEG_TEST_BROWSER is 'no-such-browser'"):
        find_browser()


def test_without_any_browser_tests_are_skipped(monkeypatch, tmp_path):
    monkeypatch.delenv(BINARY, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="install Chromium"):
        find_browser()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The page of sixty cases with two classes, and of all variants that can be exported."""
    root = tmp_path_factory.mktemp("report")
    write_files(root, Made(IDS, classes=("polyp", "<b>ulcer</b>"), drawn=5))
    write_export(root, (*ALL, "pruned", *(f"pruned_{name}" for name in ALL)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        (root / "index.html").write_text(build_report(params()), encoding="utf-8")
    return root / "index.html"


@pytest.fixture
def page(chromium, report):
    """The page in a wide window."""
    opened = open_file(chromium, report, 1280)
    yield opened.page
    opened.page.context.close()


def column(page, place: int) -> list[str]:
    """The texts of a column of the case table, counted from 1."""
    return page.locator(f"#case-table tbody tr > :nth-child({place})").all_inner_texts()


def numbers(page) -> list[float]:
    """The Dice of the cases that are shown and have one."""
    return [float(text) for text in column(page, 4) if text != "–"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_error_network_or_sideways_scrolling(chromium, report, width, scheme):
    opened = open_file(chromium, report, width, scheme)
    page = opened.page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.messages == []
    assert opened.requests == [report.as_uri()]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 380) == (scheme == "light")
    page.context.close()


def test_neither_network_nor_other_scripts_are_allowed(page):
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')") == "refused"
    ran = """() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        return window.ran;
    }"""
    assert page.evaluate(ran) is None


def test_the_slider_moves_by_keyboard(page):
    slider, stack = page.locator(".case input[type=range]").first, page.locator(".case .stack").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "51"
    page.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext") == "100 % truth"
    assert stack.evaluate("stack => stack.style.getPropertyValue('--split')") == "100%"
    page.keyboard.press("Home")
    assert slider.input_value() == "0"
    assert stack.evaluate("stack => stack.style.getPropertyValue('--split')") == "0%"


def test_the_slider_follows_the_mouse_over_the_picture(page):
    slider, stack = page.locator(".case input[type=range]").nth(1), page.locator(".case .stack").nth(1)
    stack.scroll_into_view_if_needed()
    box = stack.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60)
    page.mouse.up()
    assert slider.input_value() == "25"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    assert slider.input_value() == "25"
    assert page.locator(".case input[type=range]").first.input_value() == "50"


def test_the_border_lies_where_the_slider_says(page):
    """Left of the border the truth is on top, right of it the prediction."""
    stack = page.locator(".case .stack").first
    stack.scroll_into_view_if_needed()
    kinds = stack.evaluate("""stack => {
        const { left, top, width, height } = stack.getBoundingClientRect();
        const at = share => document.elementFromPoint(left + share * width, top + height / 2).closest('.layer');
        return [0.4, 0.6].map(share => at(share).className);
    }""")
    assert kinds == ["layer truth", "layer prediction"]


@pytest.mark.parametrize(("label", "kind"), [("Errors", "errors"), ("Image", "image")])
def test_one_choice_shows_errors_or_image_in_all_pictures(page, label, kind):
    page.locator(".views").get_by_text(label, exact=True).click()
    for stack in page.locator(".gallery").first.locator(".stack").all():
        shown = stack.locator("img").evaluate_all("all => all.filter(image => image.checkVisibility("
                                                  "{ visibilityProperty: true })).map(image => image.alt)")  # fmt: skip
        assert [alt.split(" of ")[0].lower() for alt in shown] == [kind]
    assert page.get_by_text("vermillion: missed").is_visible() == (kind == "errors")


def test_the_choice_of_view_works_by_keyboard(page):
    page.locator("input[name=view]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".viewer").get_attribute("data-view") == "errors"


def test_the_table_starts_with_the_worst_case_and_shows_more(page):
    found = numbers(page)
    assert len(column(page, 2)) == 20
    assert found == sorted(found)
    page.get_by_role("button", name="Show more").click()
    assert len(column(page, 2)) == 60
    assert page.get_by_role("button", name="Show more").is_hidden()


def test_sorting_by_mouse_and_keyboard(page):
    heading = page.locator("#case-table").get_by_role("columnheader", name="Dice", exact=True)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert numbers(page) == sorted(numbers(page), reverse=True)
    page.get_by_role("button", name="Case", exact=True).focus()
    page.keyboard.press("Enter")
    assert column(page, 2)[:3] == [HOSTILE, "case-001", "case-002"]
    assert heading.get_attribute("aria-sort") is None
    page.keyboard.press("Space")
    assert column(page, 2)[0].startswith("case-059")


def test_cases_without_a_value_come_last_either_way(page):
    page.locator("#of-class").select_option(label="polyp")
    for _ in range(2):
        page.locator("#case-table").get_by_role("columnheader", name="Dice", exact=True).get_by_role("button").click()
        page.get_by_role("button", name="Show more").click()
        assert [place for place, text in enumerate(column(page, 4)) if text == "–"] == [57, 58, 59]


def test_filtering_by_text_class_and_missed(page):
    status = page.locator("#shown")
    page.get_by_role("searchbox").fill("CASE-01")
    assert status.inner_text() == "10 of 60 cases"
    assert all("case-01" in text for text in column(page, 2))
    page.get_by_role("searchbox").fill("patient 7")
    assert set(column(page, 3)) == {"patient 7"}
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Only missed").check()
    assert status.inner_text() == "4 of 60 cases"
    assert all("missed" in text for text in column(page, 2))
    page.locator("#of-class").select_option(label="<b>ulcer</b>")
    assert status.inner_text() == "0 of 60 cases"


def test_a_class_has_its_own_figures(page):
    page.get_by_role("searchbox").fill("case-003")
    both = numbers(page)[0]
    page.locator("#of-class").select_option(label="polyp")
    assert numbers(page) == [0]
    page.locator("#of-class").select_option(label="<b>ulcer</b>")
    assert numbers(page)[0] == pytest.approx(2 * both, abs=0.002)


def test_hostile_names_are_shown_as_text(page):
    page.get_by_role("searchbox").fill(HOSTILE)
    assert column(page, 2) == [HOSTILE]
    assert page.locator("b").count() == 0
    assert page.locator("script:not([type])").count() == 1


def test_a_case_of_the_table_leads_to_its_pictures(page):
    page.locator("#case-table a").nth(1).click()
    page.wait_for_function("document.querySelector(location.hash).closest('details').open")
    assert page.locator(":target").is_visible()


def focused(page) -> dict[str, Any]:
    """What has the focus, and whether that is seen."""
    return page.evaluate("""() => {
        const found = document.activeElement, style = getComputedStyle(found);
        const name = found.id || found.type || found.localName;
        return { name, ring: style.outlineStyle, hidden: style.opacity === '0' };
    }""")


def test_the_keyboard_reaches_everything_from_the_skip_link_on(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    while (found := focused(page))["name"] != "body":
        assert found["ring"] != "none" or found["hidden"], found
        seen.add(found["name"])
        page.keyboard.press("Tab")
    assert {"a", "radio", "range", "summary", "find", "of-class", "only-missed", "button"} <= seen


def test_the_skip_link_leads_past_the_contents(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


OVERLAPS = """() => {
    const covers = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return [...document.querySelectorAll('#export .chart')].map(chart => {
        const boxes = kind => [...chart.querySelectorAll(`:scope > svg ${kind}`)].map(x => x.getBoundingClientRect());
        const names = boxes('.name'), dots = boxes('.dot'), frame = chart.getBoundingClientRect();
        const bad = names.flatMap((name, i) => [...names.slice(0, i), ...dots].filter(other => covers(name, other)));
        const out = names.filter(name => name.left < frame.left || frame.right < name.right);
        return [names.length, dots.length, bad.length, out.length];
    });
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_variants_cover_neither_each_other_nor_points(chromium, report, width):
    page = open_file(chromium, report, width).page
    assert page.evaluate(OVERLAPS) == [[20, 20, 0, 0]] * 2
    page.context.close()


def test_a_print_shows_all_four_pictures(page):
    page.emulate_media(media="print")
    shown = page.locator(".case").first.locator("figcaption").all_inner_texts()
    assert shown == ["Image", "Prediction", "Truth", "Errors"]
    assert page.locator("#find").is_hidden()


@pytest.mark.slow
def test_a_thousand_cases_are_sorted_and_shown_in_parts(chromium, tmp_path, monkeypatch):
    write_files(tmp_path, Made([f"case-{i:04d}" for i in range(1000)], noisy=True, drawn=12))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "index.html").write_text(build_report(params()), encoding="utf-8")
    opened = open_file(chromium, tmp_path / "index.html", 1280)
    assert len(column(opened.page, 2)) == 20
    opened.page.locator('th[data-key="3"] button').click()
    opened.page.locator("#more").click()
    distances = [float(text) for text in column(opened.page, 7)]
    assert len(distances) == 120
    assert distances == sorted(distances)
    assert opened.page.locator("#shown").inner_text() == "1000 cases, the first 120 shown"
