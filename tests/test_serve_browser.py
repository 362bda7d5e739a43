"""The page of `seg serve` in real Chromium: by mouse, by dropping and by keyboard, offline and under its own policy."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.browser import Opened, browser, open_address
from tests.serving import LIMITS, Bright, Client, encoded, picture, serving


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """One server."""
    with serving(Bright()) as started:
        yield started


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """An image with one bright square."""
    path = tmp_path_factory.mktemp("photos") / "<b>photo.png"
    path.write_bytes(encoded())
    return path


@pytest.fixture
def opened(chromium, client) -> Iterator[Opened]:
    """The page in a wide window."""
    found = open_address(chromium, f"http://127.0.0.1:{client.port}/", 1280)
    yield found
    found.page.context.close()


def choose(page, file: Path) -> None:
    """Choose a file and wait for its result."""
    page.set_input_files("#file", file)
    page.wait_for_selector("main[data-state=done]")


def test_a_chosen_image_shows_overlay_and_areas(opened, photo):
    page = opened.page
    assert page.locator("#result").is_hidden()
    choose(page, photo)
    assert page.locator("h2").inner_text() == "Found: bright"
    assert page.locator("#classes tr").all_inner_texts() == ["bright\t7.5 %\t144\t1"]
    assert page.get_by_role("status").inner_text() == "<b>photo.png is segmented."
    sizes = "image => [image.naturalWidth, image.naturalHeight]"
    assert page.locator("#picture").evaluate(sizes) == page.locator("#overlay").evaluate(sizes) == [48, 40]
    boxes = [page.locator(name).bounding_box() for name in ("#picture", "#overlay")]
    assert boxes[0] == boxes[1]


def test_the_slider_sets_how_strong_the_overlay_is(opened, photo):
    page = opened.page
    choose(page, photo)
    slider, overlay = page.get_by_role("slider", name="Overlay"), page.locator("#overlay")
    opacity = "image => getComputedStyle(image).opacity"
    assert overlay.evaluate(opacity) == "0.5"
    slider.focus()
    page.keyboard.press("End")
    assert overlay.evaluate(opacity) == "1"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#strength").inner_text() == "99 %"


def test_the_mask_is_saved_as_png(opened, photo, tmp_path):
    page = opened.page
    choose(page, photo)
    with page.expect_download() as download:
        page.get_by_text("Download the mask").click()
    assert download.value.suggested_filename.endswith("_mask.png")
    download.value.save_as(tmp_path / "mask.png")
    mask = cv2.imread(str(tmp_path / "mask.png"), cv2.IMREAD_UNCHANGED)
    assert (mask == (picture().mean(2) > 127)).all()


DROP = """([bytes, name]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name));
    for (const kind of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
}"""


def test_an_image_can_be_dropped_anywhere(opened):
    page = opened.page
    page.evaluate(DROP, [list(encoded()), "dropped.png"])
    page.wait_for_selector("main[data-state=done]")
    assert page.locator("h2").inner_text() == "Found: bright"
    assert page.locator(".drop.over").count() == 0


def test_an_image_without_any_class_says_so(opened, tmp_path):
    (tmp_path / "dark.png").write_bytes(encoded(pixels=np.zeros((20, 20, 3), np.uint8)))
    choose(opened.page, tmp_path / "dark.png")
    assert opened.page.locator("h2").inner_text() == "Nothing found"


def test_a_bad_file_is_told_and_the_next_one_works(opened, photo, tmp_path):
    page = opened.page
    (tmp_path / "notes.png").write_text("no image")
    page.set_input_files("#file", tmp_path / "notes.png")
    page.wait_for_selector("main[data-state=failed]")
    assert page.get_by_role("alert").inner_text() == "notes.png is no PNG, JPEG, TIFF, BMP, GIF or WebP image."
    assert page.locator("#result").is_hidden()
    choose(page, photo)
    assert page.get_by_role("alert").inner_text() == ""


def test_a_file_beyond_the_limit_is_not_even_sent(opened, tmp_path):
    page = opened.page
    (tmp_path / "large.png").write_bytes(bytes(2 << 20))
    page.set_input_files("#file", tmp_path / "large.png")
    assert page.get_by_role("alert").inner_text() == "large.png has 2 MB; at most 1 MB are taken."
    assert not any(request.endswith("/predict") for request in opened.requests)


def test_a_server_that_has_ended_is_told(chromium, photo):
    with serving(Bright()) as client:
        page = open_address(chromium, f"http://127.0.0.1:{client.port}/", 1280).page
    page.set_input_files("#file", photo)
    page.wait_for_selector("main[data-state=failed]")
    assert page.get_by_role("alert").inner_text() == "The server does not answer; is it still running?"
    page.context.close()


def test_a_second_image_takes_the_place_of_the_first(chromium, photo, tmp_path):
    go = threading.Event()
    (tmp_path / "second.png").write_bytes(encoded())
    with serving(Bright(lambda: go.wait(10)), LIMITS) as client:
        page = open_address(chromium, f"http://127.0.0.1:{client.port}/", 1280).page
        page.set_input_files("#file", photo)
        page.wait_for_selector("main[data-state=busy]")
        page.set_input_files("#file", tmp_path / "second.png")
        go.set()
        page.wait_for_selector("main[data-state=done]")
        assert page.get_by_role("status").inner_text() == "second.png is segmented."
        page.context.close()


def test_everything_is_reached_by_keyboard(opened, photo):
    page = opened.page
    page.on("filechooser", lambda _: None)  # tells the browser early; a key may be faster than what it is told
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    ring = page.locator("#drop").evaluate("label => getComputedStyle(label).outlineStyle")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(photo)
    page.wait_for_selector("main[data-state=done]")
    reached = []
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert ring == "solid"
    assert reached == ["opacity", "mask"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_quiet_offline_and_fits(chromium, client, photo, width, scheme):
    found = open_address(chromium, f"http://127.0.0.1:{client.port}/", width, scheme)
    page = found.page
    choose(page, photo)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert found.messages == []
    assert {request.rsplit("/", 1)[0] for request in found.requests} == {f"http://127.0.0.1:{client.port}"}
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 380) == (scheme == "light")
    page.context.close()
