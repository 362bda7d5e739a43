"""Run one stage in the current folder with one file at a time taken away or changed.

Usage: python hermetic_driver.py STAGE < {name: [file, content or null]} > names that the stage survived.
The libraries are imported once; each trial is a forked child.
"""

import contextlib
import importlib
import json
import os
import runpy
import sys
from pathlib import Path

LIBRARIES = {"train": ["torch", "monai.losses.dice", "lightning_fabric", "albumentations", "dvclive.fabric"]}
LIBRARIES["evaluate"] = LIBRARIES["preprocess"] = LIBRARIES["check"] = ["torch", "cv2", "monai.networks.nets.unet"]


def run(stage: str) -> bool:
    """Run the stage in a child; true where it succeeds with every module from this folder."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    status = 1
    with contextlib.suppress(BaseException), Path(os.devnull).open("w") as quiet:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            runpy.run_module(f"stages.{stage}", run_name="__main__")
        ours = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("seglib", "stages")]
        files = [Path(module.__file__ or "namespace").resolve(strict=True) for module in ours]
        status = 0 if files and all(file.is_relative_to(Path.cwd()) for file in files) else 1
    os._exit(status)


def main() -> None:
    """Print which changes the stage survives; fail where it cannot run unchanged."""
    stage, changes = sys.argv[1], json.load(sys.stdin)
    sys.path.insert(0, "")
    for library in LIBRARIES.get(stage, []):
        importlib.import_module(library)
    if not run(stage):
        sys.exit(f"{stage} fails although everything that it declares is there")
    survived = []
    for name, (path, content) in changes.items():
        Path(path).rename("taken-away")
        if content is not None:
            Path(path).write_text(content)
        if run(stage):
            survived.append(name)
        Path(path).unlink(missing_ok=True)
        Path("taken-away").rename(path)
    print(json.dumps(survived))


if __name__ == "__main__":
    main()
