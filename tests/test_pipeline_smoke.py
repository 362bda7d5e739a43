from tests.project import STAGES


def test_smoke(project):
    first = project.repro()
    print(first.text)
    assert first.ran == list(STAGES)
    again = project.repro()
    assert again.skipped == list(STAGES)
