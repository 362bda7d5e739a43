"""`seg compare` as it is called, over runs that the real DVC keeps."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seglib.cli import main
from tests.measured import commit, make_measured
from tests.project import Project

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's, of pygtrie
Answer = tuple[int, str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Three seeds of a recipe and three of a worse one, each with a tag; the workspace is the last."""
    project = make_measured(tmp_path_factory.mktemp("comparing") / "project")
    project.run("git", "tag", "a0")
    for tag, gain, seed in (("a1", 0, 1), ("a2", 0, 2), ("b0", -0.1, 0), ("b1", -0.1, 1), ("b2", -0.1, 2)):
        commit(project, tag, train__gain=gain, train__seed=seed)
        project.run("git", "tag", tag)
    return project


@pytest.fixture
def seg_compare(project, monkeypatch, capsys) -> Callable[..., Answer]:
    """Called in the project; gives exit code, standard output and what was said of an error."""
    monkeypatch.chdir(project.root)

    def call(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as stopped:
            main(["compare", *arguments])
        assert isinstance(stopped.value.code, int)
        return (stopped.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def copy(project, seg_compare, tmp_path, monkeypatch) -> Project:
    """A copy to change, in which `seg_compare` is then called."""
    shutil.copytree(project.root, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    return Project(tmp_path / "copy")


def test_exit_codes_are_those_of_the_verdict(seg_compare):
    code, text, _ = seg_compare("a0", "b0")
    assert (code, text[:6]) == (1, "fail: ")
    code, text, _ = seg_compare("b0", "a0")
    assert (code, text[:6]) == (0, "pass: ")
    code, text, _ = seg_compare("a0", "a0", "--metric", "iou")
    assert (code, text[:6]) == (0, "pass: ")
    assert "drop in iou, 0.0000 to 0.0000" in text


def test_a_doubtful_change_warns(copy, seg_compare):
    commit(copy, "strict", compare__max_drop=0.0)
    code, printed, _ = seg_compare("HEAD", "b1")
    assert (code, printed[:6]) == (2, "warn: ")


def test_a_change_is_judged_by_the_rule_of_its_base(copy, seg_compare):
    copy.set_params({"compare.max_drop": 0.9, "compare.metric": "iou"})
    code, text, _ = seg_compare("a0")
    assert (code, text[:6]) == (1, "fail: ")
    assert "drop in dice" in text
    assert "note: compare.max_drop is 0.9 in workspace; the verdict goes by base's, 0.01" in text
    assert "note: compare.metric is 'iou' in workspace; the verdict goes by base's, 'dice'" in text
    text = seg_compare("a0", "--metric", "nsd")[1]
    assert "drop in nsd" in text
    assert "compare.metric" not in text


def test_runs_of_the_base_by_two_rules_have_no_verdict(copy, seg_compare):
    commit(copy, "strict", compare__max_drop=0.0)
    code, _, told = seg_compare("b0,HEAD", "a0")
    assert code == 3
    assert "two rules of `compare` on the side of base" in told


def test_what_the_rule_of_the_base_lacks_is_the_workspaces(copy, seg_compare):
    params = copy.root / "params.yaml"
    whole = params.read_text()
    params.write_text(re.sub("  max_drop: .*\n|max_drop: [^,}]*, ", "", whole))
    assert params.read_text() != whole
    copy.run("git", "commit", "-qam", "no limit")
    params.write_text(whole)
    text = seg_compare("HEAD")[1]
    assert re.search(
        r"note: HEAD \(.*\) has no compare\.max_drop; the verdict goes by that of the workspace, 0\.01", text
    )


def test_without_head_the_workspace_is_compared(seg_compare):
    assert "a2 (" in seg_compare("a2", "b2")[1]
    code, text, _ = seg_compare("a2")
    assert code == 1
    assert " → workspace: 40 cases in 20 groups\n" in text
    assert "parameter changed:\n  train.gain: 0 → -0.1\n" in text


def test_seeds_of_a_side_make_it_a_verdict_on_the_change(seg_compare):
    code, text, _ = seg_compare("a0,a1,a2", "b0,b1,b2", "--json")
    found = json.loads(text)
    assert (code, found["verdict"]) == (1, "fail")
    assert [name[:2] for name in found["base"]["runs"]] == ["a0", "a1", "a2"]
    assert found["subject"].startswith("the change, over 3 runs of a0")
    assert [change["name"] for change in found["recipe"]] == ["train.gain"], "both sides have the same seeds"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a0,a1", "b0,b1"), "2 runs of a0"),
        (("a0,a1,b2", "b0,b1,b2"), "differ in more than their seeds: train.gain"),
        (("a0,a0,a1", "b0,b1,b2"), "are one run, not two seeds: train.seed 0"),
        (("a0,,a1", "b0"), "'a0,,a1' lacks a name; name one run, or several as a1,a2,a3"),
        (("", "b0"), "'' lacks a name"),
        (("a9",), "no revision 'a9'; "),
        (("a0", "b0", "--metric", "dyce"), "compare.metric: no figure 'dyce'; did you mean 'dice'?"),
        (("a0", "b0", "--html", "absent/page.html"), "cannot write absent/page.html: No such file or directory"),
    ],
)
def test_what_cannot_be_compared_is_refused_and_nothing_printed(seg_compare, arguments, told):
    code, printed, error = seg_compare(*arguments)
    assert (code, printed) == (3, "")
    assert error.startswith("error: ")
    assert told in error


def test_other_cases_are_another_test_set(copy, seg_compare):
    copy.append("measure.py", 'measure(ids=("new",))\n')
    commit(copy, "other cases")
    code, printed, error = seg_compare("a0", "HEAD")
    assert (code, printed) == (3, "")
    assert error.startswith("error: different test sets: only in HEAD (")


def test_wrong_usage_is_no_verdict(seg_compare):
    assert seg_compare()[0] == seg_compare("a0", "b0", "--jsno")[0] == 3
    assert seg_compare("--help")[0] == 0


def test_the_page_is_written_beside_the_text(seg_compare, tmp_path):
    code, text, _ = seg_compare("a0", "b0", "--md", "--html", str(tmp_path / "page.html"))
    assert code == 1
    assert text.startswith("<!-- seg compare -->\n\n### Verdict: fail\n")
    page = Path(tmp_path / "page.html").read_text()
    assert "Verdict: fail" in page
    assert page.count('src="data:image/webp;base64,') == 10
