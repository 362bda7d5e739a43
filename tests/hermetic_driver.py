"""Run one stage in the current folder with a file taken away or changed at a time.

Usage: python hermetic_driver.py STAGE < {name: {file: content or null}} > names that the stage survived.
The libraries are imported once; each trial is a forked child.
"""

import contextlib
import importlib
import json
import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

LIGHT = ["pydantic", "ruamel.yaml", "numpy", "cv2", "nibabel", "pydicom", "requests", "tqdm"]
NETWORKS = ["torch", "monai.networks.nets.unet", "monai.inferers.utils"]
TRAINING = [
    *NETWORKS,
    "monai.losses.dice",
    "albumentations",
    "dvclive.fabric",
    "lightning_fabric.loggers.tensorboard",
    "torch.utils.tensorboard",
]
LIBRARIES = {
    "preprocess": ["torch"],
    "check": ["torch"],
    "train": TRAINING,
    "evaluate": [*NETWORKS, "scipy.spatial", "scipy.ndimage"],
    "prune": [*TRAINING, "torch_pruning"],
    "export": [*NETWORKS, "scipy.spatial", "scipy.ndimage", "onnx", "onnxruntime"],
    "report": ["jinja2", "scipy.special"],
}


def run(stage: str) -> bool:
    """Run the stage in a child; true where it succeeds with every module from this folder."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    status = 1
    with contextlib.suppress(BaseException), Path(os.devnull).open("w") as quiet:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            sys.argv = ["seglib.stage", stage]
            runpy.run_module("seglib.stage", run_name="__main__")
        ours = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("seglib", "stages")]
        files = [Path(module.__file__ or "namespace").resolve(strict=True) for module in ours]
        status = 0 if files and all(file.is_relative_to(Path.cwd()) for file in files) else 1
    os._exit(status)


def main() -> None:
    """Print which changes the stage survives; fail where it cannot run unchanged."""
    stage, changes = sys.argv[1], json.load(sys.stdin)
    sys.path.insert(0, "")
    for library in [*LIGHT, *LIBRARIES.get(stage, [])]:
        importlib.import_module(library)
    if not run(stage):
        sys.exit(f"{stage} fails although everything that it declares is there")
    survived = []
    for name, files in changes.items():
        with changed(files):
            if run(stage):
                survived.append(name)
    print(json.dumps(survived))


@contextlib.contextmanager
def changed(files: dict[str, str | None]) -> Iterator[None]:
    """Files with other content, or None for absence, put back afterwards."""
    for number, (path, content) in enumerate(files.items()):
        Path(path).rename(f"taken-away-{number}")
        if content is not None:
            Path(path).write_text(content)
    yield
    for number, path in enumerate(files):
        Path(path).unlink(missing_ok=True)
        Path(f"taken-away-{number}").rename(path)


if __name__ == "__main__":
    main()
