"""The command `seg`."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from seglib.errors import SegError
from seglib.paths import PARAMS, store


def command() -> None:
    """Run `seg` as `python -m seglib`, so that it acts with the code of the folder it is called in."""
    os.execv(sys.executable, [sys.executable, "-m", "seglib", *sys.argv[1:]])  # noqa: S606  (ourselves)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `seg COMMAND`; a problem is told in one message with exit code 1."""
    parsed = _parser().parse_args(arguments)
    try:
        _check_folder()
        parsed.run(parsed)
    except SegError as error:
        if os.environ.get("SEG_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {error}")


def _check_folder() -> None:
    if not PARAMS.exists():
        raise SegError(f"no {PARAMS} in {Path.cwd()}: run from the project's root")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("seg", description="The segmentation pipeline's own commands.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="read the whole data set and say what is wrong with it")
    check.add_argument("--accept", action="store_true", help="add the warnings to accepted.txt")
    check.set_defaults(run=_check)

    recipe = commands.add_parser("recipe", help="write the parameters that do well on a data set into params.yaml")
    recipe.add_argument("name", help="a file of recipes/, such as kvasir")
    recipe.set_defaults(run=_recipe)

    deps = commands.add_parser("deps", help="write the code and version deps of dvc.yaml from the import graph")
    deps.add_argument("--check", action="store_true", help="only say whether they are up to date")
    deps.set_defaults(run=_deps)

    clean = commands.add_parser("clean", help="delete .store/: ready shards and broken-off downloads")
    clean.set_defaults(run=_clean)
    return parser


def _check(parsed: argparse.Namespace) -> None:
    from seglib.check import accept, check_data
    from seglib.config import read_params
    from seglib.paths import ACCEPTED, CONTACT_SHEET, QUALITY

    report = check_data(read_params())
    print(report.describe())
    print(f"written to {QUALITY}" + (f"; look at {CONTACT_SHEET}" if CONTACT_SHEET.exists() else ""))
    if parsed.accept:
        print(f"{accept(report)} findings are now accepted by {ACCEPTED}")
    if report.errors:
        sys.exit(1)


def _recipe(parsed: argparse.Namespace) -> None:
    from seglib.recipes import apply_recipe

    changes = apply_recipe(parsed.name)
    print("\n".join(changes) if changes else "params.yaml already has these parameters")


def _deps(parsed: argparse.Namespace) -> None:
    from seglib.dependencies import generated_files, outdated_files

    outdated = outdated_files()
    if parsed.check and outdated:
        raise SegError(f"{', '.join(map(str, outdated))}: not what the imports ask for; run `make deps`")
    texts = generated_files()
    for path in outdated:
        path.write_text(texts[path])
    print(f"wrote {', '.join(map(str, outdated))}" if outdated else "dvc.yaml and versions.yaml are up to date")


def _clean(_: argparse.Namespace) -> None:
    folder = store()
    if not folder.exists():
        print(f"{folder} does not exist")
        return
    shutil.rmtree(folder)
    print(f"deleted {folder}")
