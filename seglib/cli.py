"""The command `seg`."""

import argparse
import math
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from seglib.errors import SegError
from seglib.paths import BEST, PARAMS, store

NO_VERDICT = 3
"""Exit code of `seg compare` where it cannot compare; 0, 1 and 2 are verdicts."""

INTERRUPTED = 130
"""Exit code where Ctrl+C ended it, as shells have it."""


def command() -> None:
    """Run `seg` as `python -m seglib`, so that it acts with the code of the folder it is called in."""
    os.execv(sys.executable, [sys.executable, "-m", "seglib", *sys.argv[1:]])  # noqa: S606  (ourselves)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `seg COMMAND`; a problem is told in one message with exit code 1, of `compare` 3."""
    parsed = _parsed(sys.argv[1:] if arguments is None else arguments)
    try:
        if not parsed.anywhere:
            _check_folder()
        parsed.run(parsed)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if isinstance(error, SegError) and os.environ.get("SEG_TRACEBACK") != "1":
            print(f"error: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        sys.exit(parsed.problem)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments; of `compare` wrong ones are no verdict, as argparse's exit code 2 would be."""
    try:
        return _parser().parse_args(arguments)
    except SystemExit as stopped:
        wrong = stopped.code != 0 and "compare" in arguments[:1]
        sys.exit(NO_VERDICT if wrong else stopped.code)


def _check_folder() -> None:
    if not PARAMS.exists():
        raise SegError(f"no {PARAMS} in {Path.cwd()}: run from the project's root")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("seg", description="The segmentation pipeline's own commands.")
    parser.set_defaults(problem=1, anywhere=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="read the whole data set and say what is wrong with it")
    check.add_argument("--accept", action="store_true", help="add the warnings to accepted.txt")
    check.set_defaults(run=_check)

    recipe = commands.add_parser("recipe", help="write the parameters that do well on a data set into params.yaml")
    recipe.add_argument("name", help="a file of recipes/, such as kvasir")
    recipe.set_defaults(run=_recipe)

    augment = commands.add_parser("augment", help="draw what training sees of some samples in reports/augment.png")
    augment.add_argument("--samples", type=int, default=6, help="rows, spread over the training side")
    augment.add_argument("--draws", type=int, default=5, help="columns behind the original: epochs 1, 2, ...")
    augment.set_defaults(run=_augment)

    deps = commands.add_parser("deps", help="write the code and version deps of dvc.yaml from the import graph")
    deps.add_argument("--check", action="store_true", help="only say whether they are up to date")
    deps.set_defaults(run=_deps)

    summary = commands.add_parser("summary", help="mean, deviation and interval of a metric over seeds and folds")
    summary.add_argument("names", nargs="*", metavar="NAME", help="experiments; without one all of this commit")
    summary.add_argument(
        "--metric", default="", help="of reports/evaluate/metrics.json, or FILE:METRIC; else compare.metric"
    )
    form = summary.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for machines")
    form.add_argument("--md", action="store_true", help="as a Markdown table")
    summary.set_defaults(run=_summary)

    codes = "The exit code is 0 for pass, 2 for warn, 1 for fail, and 3 where there is no verdict."
    compare = commands.add_parser(
        "compare", help="whether what two experiments differ by matters: a verdict", epilog=codes
    )
    compare.add_argument("base", metavar="BASE", help="commit, branch, tag or experiment; several seeds as a,b,c")
    compare.add_argument("head", metavar="HEAD", nargs="?", default="workspace", help="likewise; else the workspace")
    compare.add_argument("--metric", default="", help="decides in place of compare.metric of BASE's params.yaml")
    compare.add_argument("--html", metavar="FILE", type=Path, help="also write a page with pictures of the cases")
    form = compare.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for machines")
    form.add_argument("--md", action="store_true", help="as Markdown, for a pull request")
    compare.set_defaults(run=_compare, problem=NO_VERDICT)

    models = commands.add_parser("models", help="parameters, FLOPs and memory of every network at the image size")
    models.set_defaults(run=_models)

    _add_predict(commands)
    _add_serve(commands)

    clean = commands.add_parser("clean", help="delete .store/: ready shards and broken-off downloads")
    clean.set_defaults(run=_clean)
    return parser


def _add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    predict = commands.add_parser(
        "predict",
        help="segment images, volumes and DICOM series with a trained or exported model",
        description="Write DIR/masks/, a file for each input, and DIR/cases.csv, which tells how much of it each class "
        "covers. Settings are those of predict in params.yaml of the current folder, if there is one.",
        epilog="The exit code is 0 where all were segmented, 1 where something failed: failed.csv tells what, and the "
        "rest is there. No file is overwritten without --force, also none of an interrupted run.",
    )
    predict.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, archive or pattern such as '**/*.png'")
    predict.add_argument("--out", metavar="DIR", type=Path, required=True, help="made where it does not exist")
    _add_model(predict)
    predict.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="for models in .pt files")
    predict.add_argument(
        "--batch", metavar="N", type=_number, default=1, help="images of equal size, or slices, predicted together"
    )
    predict.add_argument("--threshold", metavar="T", type=_threshold, help="probability of a class, or auto")
    predict.add_argument("--tta", action="store_true", help="mean over the image and its mirror images; takes longer")
    predict.add_argument("--overlay", action="store_true", help="also draw each image under its mask: DIR/overlays/")
    predict.add_argument("--probabilities", action="store_true", help="also write DIR/probabilities/, which is large")
    predict.add_argument(
        "--force",
        action="store_true",
        help="overwrite files of the same names; cases.csv then tells of this run only, and masks of older runs stay",
    )
    predict.set_defaults(run=_predict, anywhere=True)


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="a web page that segments images, and a JSON endpoint for programs")
    _add_model(serve)
    serve.add_argument(
        "--host", default="127.0.0.1", help="address; all but 127.*, ::1 and localhost are open to other machines"
    )
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--max-megabytes", metavar="N", type=_number, default=32, help="that an upload may have")
    serve.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=60.0, help="for an upload, and its answer"
    )
    serve.set_defaults(run=_serve, anywhere=True)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", metavar="FILE", type=Path, default=BEST, help=f"trained or exported; else {BEST}")
    command.add_argument("--threads", metavar="N", type=_number, default=0, help="of the CPU; else as libraries choose")


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 1024, found '{text}'")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, found '{text}'")


def _threshold(text: str) -> float | str:
    with suppress(ValueError):
        if text == "auto" or 0 < float(text) < 1:
            return text if text == "auto" else float(text)
    raise argparse.ArgumentTypeError(f"must be a probability between 0 and 1, or auto, found '{text}'")


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


def _augment(parsed: argparse.Namespace) -> None:
    from seglib.augment_sheet import SHEET, write_sheet
    from seglib.config import read_params

    rows = write_sheet(read_params(), parsed.samples, parsed.draws)
    print(f"{SHEET}: columns are the original and epochs 1 to {parsed.draws}; rows are\n  " + "\n  ".join(rows))


def _deps(parsed: argparse.Namespace) -> None:
    from seglib.dependencies import generated_files, outdated_files

    outdated = outdated_files()
    if parsed.check and outdated:
        raise SegError(f"{', '.join(map(str, outdated))}: not what the imports ask for; run `make deps`")
    texts = generated_files()
    for path in outdated:
        path.write_text(texts[path], encoding="utf-8")
    print(f"wrote {', '.join(map(str, outdated))}" if outdated else "dvc.yaml and versions.yaml are up to date")


def _summary(parsed: argparse.Namespace) -> None:
    from seglib.config import read_params, section
    from seglib.experiments import read_runs
    from seglib.sections.compare import Rule
    from seglib.summary import summarise
    from seglib.summary_tables import as_json, as_markdown, as_text

    runs = read_runs(parsed.names)
    summary = summarise(runs, parsed.metric or section(read_params(), "compare", Rule).metric)
    print((as_json if parsed.json else as_markdown if parsed.md else as_text)(summary))


def _compare(parsed: argparse.Namespace) -> None:
    from seglib.compare.as_json import as_json
    from seglib.compare.comparing import EXIT_CODES, compare_revisions, thumbnails
    from seglib.compare.markdown import as_markdown
    from seglib.compare.page import write_page
    from seglib.compare.text import as_text
    from seglib.config import read_params

    compared = compare_revisions(parsed.base, parsed.head, read_params(), parsed.metric)
    if parsed.html:
        write_page(parsed.html, compared, *thumbnails(compared))
    print((as_json if parsed.json else as_markdown if parsed.md else as_text)(compared))
    sys.exit(EXIT_CODES[compared.comparison.verdict])


def _models(_: argparse.Namespace) -> None:
    from seglib.config import read_params
    from seglib.model_table import configured_images, model_table

    params = read_params()
    print(model_table(params, *configured_images(params)))


def _predict(parsed: argparse.Namespace) -> None:
    from seglib.predict.command import Asked, predict

    names = [field.name for field in fields(Asked)]
    if not predict(Asked(**{name: getattr(parsed, name) for name in names})):
        sys.exit(1)


def _serve(parsed: argparse.Namespace) -> None:
    from seglib.serve.server import serve

    serve(parsed.model, parsed.host, parsed.port, parsed.max_megabytes, parsed.timeout, parsed.threads)


def _clean(_: argparse.Namespace) -> None:
    folder = store()
    if not folder.exists():
        print(f"{folder} does not exist")
        return
    shutil.rmtree(folder)
    print(f"deleted {folder}")
