import base64
import hashlib
import re

import pytest
from jinja2 import UndefinedError

from seglib.report.page import FOLDER, render

SCHEMES = re.compile(r"--(\w[\w-]*): (#[0-9a-f]{6})")
AA = 4.5
"""Least contrast of text (WCAG 2.1, 1.4.3)."""


@pytest.fixture
def page(tmp_path):
    """Fill in a template that extends the base."""

    def run(body: str, **values) -> str:
        (tmp_path / "own.html.j2").write_text(
            '{% extends "base.html.j2" %}{% import "parts.html.j2" as parts %}{% block main %}'
            + body
            + "{% endblock %}"
        )
        return render("own.html.j2", {"title": "A <title>", **values}, tmp_path)

    return run


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_everything_is_escaped(page):
    found = page("<p title='{{ name }}'>{{ name }}</p>{{ parts.swatch(name) }}", name="\"'><script>alert(1)</script>")
    assert "A &lt;title&gt;" in found
    assert found.count("<script>") == 1
    assert "&#34;&#39;&gt;&lt;script&gt;" in found


def test_data_cannot_end_its_script(page):
    found = page("<script type='application/json'>{{ data|tojson }}</script>", data={"b": "</script><!--", "a": "<"})
    assert r'{"b":"\u003c/script\u003e\u003c!--","a":"\u003c"}' in found


def test_not_a_number_is_refused(page):
    with pytest.raises(ValueError, match="not JSON compliant"):
        page("{{ data|tojson }}", data=[float("nan")])


def test_a_misspelt_value_is_refused(page):
    with pytest.raises(UndefinedError, match="nmae"):
        page("{{ nmae }}", name="x")


def test_only_its_own_style_and_script_may_run(page):
    found = page("")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', found)
    style, script = re.findall(r"<style>(.*?)</style>.*<script>(.*?)</script>", found, re.DOTALL)[0]
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{digest(style)}'",
        "script-src": f"'sha256-{digest(script)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_is_fetched(page):
    found = page("")
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", found)
    assert "@import" not in found
    assert "url(" not in found


def test_no_template_sets_a_style_that_the_policy_forbids():
    for template in (FOLDER / "templates").iterdir():
        assert not re.search(r"\s(style|on\w+)=", template.read_text()), template.name


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_by_hand():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_can_be_read_in_both_schemes(scheme):
    blocks = re.findall(r":root \{(.*?)\}", (FOLDER / "style.css").read_text(), re.DOTALL)
    colours = dict(SCHEMES.findall(blocks[scheme]))
    for ground in ("ground", "paper", "sunk"):
        for ink in ("ink", "soft", "accent", "good", "bad"):
            assert contrast(colours[ink], colours[ground]) >= AA, (ink, ground)
    assert contrast(colours["warm-ink"], colours["warm"]) >= AA
    for series in ("s1", "s2", "s3", "s4", "s5", "s6"):
        assert contrast(colours[series], colours["paper"]) >= 3
