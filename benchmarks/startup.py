"""What a stage and `dvc repro` cost where there is next to nothing to do.

Targets: `dvc repro` of a finished project under 2 s; `python -m seglib.stage split` on 1,000 samples
under 1 s. Both are whole processes, beside the bare start of their libraries.
"""

import argparse
import json

from benchmarks.measuring import Cost, alternate, cost, new_project, report, report_cost, report_host, scratch
from tests.project import STAGES, TINY, Project, make_images

SAMPLES = 1000


def main() -> None:
    """Print the medians of each command and of the start that it cannot avoid."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=7)
    rounds = arguments.parse_args().rounds
    report_host()
    with scratch() as folder:
        images = make_images(folder / "data")
        project = new_project(folder / "project", {**TINY, "data.path": str(images)})
        project.repro()
        assert project.repro().skipped == list(STAGES), "the project is not finished"
        _compare(project, "dvc repro, nothing to do", ["dvc", "repro"], "import dvc.repo", rounds, 2)
        index = project.root / "data/index.json"
        content = json.loads(index.read_text())
        names = [f"{i:04d}" for i in range(SAMPLES)]
        samples = [{**content["samples"][0], "id": f"case{name}", "group": f"group{name}"} for name in names]
        index.write_text(json.dumps({**content, "samples": samples}))
        split = f"split, {SAMPLES} samples"
        _compare(project, split, ["python", "-m", "seglib.stage", "split"], "import pydantic, ruamel.yaml", rounds, 1)


def _compare(project: Project, name: str, command: list[str], imports: str, rounds: int, target: float) -> None:
    bare = ["python", "-c", imports]

    def run(arguments: list[str]) -> Cost:
        return cost(lambda: project.run(*arguments))

    figures = alternate({"whole": lambda: run(command), "bare": lambda: run(bare)}, rounds)
    report_cost(name, figures["whole"], at_most=target)
    report_cost(f"python -c '{imports}'", figures["bare"])
    report(f"{name} / bare imports", figures["whole"].wall / figures["bare"].wall, "x")


if __name__ == "__main__":
    main()
