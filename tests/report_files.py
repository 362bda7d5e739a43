"""The files that the report is made from, written as the stages write them, with invented but plausible figures."""

import csv
import json
import shutil
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

from seglib.case_table import CaseTable, case_name, write_cases
from seglib.measures import COLUMNS, MEASURES
from seglib.overlays import Palette
from seglib.pictures import write_pictures, write_thumbnail
from tests.project import REPOSITORY

COLOURS = ((0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (0, 114, 178), (213, 94, 0))


FREQUENCY = ("frequency", "frequency_low", "frequency_high")
SHARES = ("truth", "prediction", "pixels", "share", "share_low", "share_high")
VERSIONS = {"torch": "2.13.0", "monai": "1.6.1", "numpy": "2.4.6"}


@dataclass(frozen=True)
class Made:
    """What is to be written; ids are those of the test side."""

    ids: Sequence[str]
    classes: Sequence[str] = ("polyp",)
    drawn: int = 5
    """Cases with pictures."""
    thumbnails: bool = True
    overlapping: bool = False
    volumes: bool = False
    findings: bool = True
    valued: bool = True
    """False: neither truth nor prediction of any case shows anything."""
    per_group: int = 2
    noisy: bool = False
    """Images like photographs, whose files are large."""
    side: int = 128
    """Pixels of the images, which are square."""

    @property
    def groups(self) -> list[str]:
        """A group for every few ids."""
        return [key if self.per_group == 1 else f"patient {i // self.per_group}" for i, key in enumerate(self.ids)]


def write_files(root: Path, made: Made) -> CaseTable:
    """Write everything into a folder; returns the table of cases."""
    table = case_table(made)
    reports = root / "reports/evaluate"
    for folder in ("pictures", "thumbnails", "plots"):
        (reports / folder).mkdir(parents=True)
    for name in ("data", "models", "reports/train/plots"):
        (root / name).mkdir(parents=True)
    write_cases(reports / "cases.csv", table)
    _write_json(reports / "metrics.json", figures(table, made))
    _write_plots(reports / "plots", table, made)
    _write_pictures(reports, table, made)
    _write_data(root / "data", made)
    _write_training(root / "reports/train")
    (root / "models/best.pt").write_bytes(bytes(range(256)) * 6000)
    (root / "versions.yaml").write_text("\n".join(f"{name}: '{number}'" for name, number in VERSIONS.items()))
    _write_json(root / "dvc.yaml", {"stages": {"report": {"params": [{"versions.yaml": list(VERSIONS)}]}}})
    (root / "params.yaml").write_text(_params_text())
    return table


def params() -> dict[str, Any]:
    """The content of the written `params.yaml`."""
    return deepcopy(_params())


@cache
def _params() -> dict[str, Any]:
    content = YAML(typ="safe").load(REPOSITORY / "params.yaml")
    content["data"]["name"] = "kvasir"
    return content


@cache
def _params_text() -> str:
    text = StringIO()
    YAML(typ="safe").dump(_params(), text)
    return text.getvalue()


def case_table(made: Made) -> CaseTable:
    """Small objects fare worse; in a few cases the first class is missed, in a few it is absent."""
    random, shape = np.random.default_rng(1), (len(made.ids), len(made.classes))
    truth = np.exp(random.uniform(np.log(200), np.log(60_000), shape)).round()
    dice = random.beta(14, 1 + 3000 / truth)
    guess = (truth * random.normal(1, 0.1, shape).clip(0.5, 1.5)).round()
    dice[3::17, 0] = guess[3::17, 0] = 0
    truth[5::19, 0] = guess[5::19, 0] = 0
    if not made.valued:
        truth[:] = guess[:] = 0
    both = (dice * (truth + guess) / 2).round()
    absent, missed = (truth == 0) & (guess == 0), (truth > 0) & (both == 0)
    lesions, columns = np.where(truth > 0, 1 + (truth % 3 == 0), 0.0), {}
    columns |= {name: dice.copy() for name in COLUMNS}
    columns["iou"] = dice / (2 - dice)
    columns |= {name: (dice + random.normal(0, 0.03, shape)).clip(0, 1) for name in ("precision", "recall", "nsd")}
    columns["hd95"] = np.where(missed, 452.5, 60 * (1 - dice) ** 1.3 + 1)
    columns["assd"] = columns["hd95"] / 4
    columns["volume_difference"] = np.where(truth > 0, (guess - truth) / np.maximum(truth, 1), np.nan)
    columns["calibration_error"] = 0.02 + (1 - dice) / 12
    for measure in MEASURES:
        columns[measure.name][absent] = np.nan
    for name in ("dice_at_model_size", "iou_at_model_size"):
        columns[name][absent] = np.nan
    columns |= {"both": both, "truth": truth, "guess": guess, "lesions": lesions}
    columns |= {"lesions_found": np.where(missed, 0, lesions), "lesions_guessed": (guess > 0) * 1.0}
    columns["lesions_false"] = ((truth == 0) & (guess > 0)) * 1.0
    return CaseTable(tuple(made.ids), tuple(made.groups), tuple(made.classes), columns)


def figures(table: CaseTable, made: Made) -> dict[str, float]:
    """The content of `metrics.json`, with intervals that are only roughly right."""
    truth, both = table.columns["truth"], table.columns["both"]
    found: dict[str, float] = {"conventions": 1, "n": len(table.ids), "n_groups": len(set(made.groups))}
    found |= {"threshold": 0.5, "tolerance": 2.0, "confidence": 0.95, "distances_in_mm": int(made.volumes)}
    for name in (*(measure.name for measure in MEASURES), "dice_at_model_size", "iou_at_model_size"):
        _with_interval(found, name, table.columns[name])
    for name in ("dice", "iou", "precision", "recall"):
        _with_interval(found, f"{name}_pooled", table.columns[name])
    for name in ("lesion_recall", "lesion_precision", "lesion_f1", "pixel_accuracy", "iou_pooled_with_background"):
        _with_interval(found, name, table.columns["recall"])
    found["n_empty"] = int(((truth == 0) & (table.columns["guess"] == 0)).sum())
    found["n_missed"] = int(((truth > 0) & (both == 0)).sum())
    return found


def _with_interval(found: dict[str, float], name: str, values: np.ndarray) -> None:
    known = values[~np.isnan(values)]
    if known.size:
        half = 2 * float(known.std()) / known.size**0.5
        mean = float(known.mean())
        found |= {name: round(mean, 6), f"{name}_low": round(mean - half, 6), f"{name}_high": round(mean + half, 6)}


def _write_plots(folder: Path, table: CaseTable, made: Made) -> None:
    names = ("background", *made.classes)
    means = [measure.name for measure in MEASURES]
    header = [f"{name}{end}" for name in means for end in ("", "_low", "_high")]
    rows = []
    for c, name in enumerate(made.classes):
        columns = {key: values[:, c] for key, values in table.columns.items()}
        found: dict[str, float] = {}
        for mean in means:
            _with_interval(found, mean, columns[mean])
        empty = int(((columns["truth"] == 0) & (columns["guess"] == 0)).sum())
        missed = int(((columns["truth"] > 0) & (columns["both"] == 0)).sum())
        start = [
            name,
            len(table.ids) - empty,
            empty,
            missed,
            *_around(round(columns["truth"].sum() / len(table.ids) / 320**2, 6)),
        ]
        rows.append([*start, *(found.get(key, "") for key in header)])
    _write_tsv(folder / "classes.tsv", ["class", "n", "n_empty", "n_missed", *FREQUENCY, *header], rows)
    cells = [] if made.overlapping else [[t, g, *_share(len(names), right=t == g)] for t in names for g in names]
    _write_tsv(folder / "confusion.tsv", [*SHARES], cells)
    sure = np.linspace(0.02, 0.98, 15).round(3)
    bins = [[name, p, round(p ** (1.2 + c / 5), 4), int(9e5 * abs(p - 0.5) ** 3 + 900)]
            for c, name in enumerate(made.classes) for p in sure] if made.valued else []  # fmt: skip
    _write_tsv(folder / "calibration.tsv", ["class", "confidence", "frequency", "pixels"], bins)


def _around(share: float) -> tuple[float, float, float]:
    """A share with bounds on both sides."""
    return share, round(0.8 * share, 6), round(share + 0.2 * (1 - share), 6)


def _share(number: int, *, right: bool) -> tuple[float, ...]:
    share = 0.94 if right else 0.06 / (number - 1)
    return round(share * 1e6), *_around(round(share, 6))


def _write_pictures(folder: Path, table: CaseTable, made: Made) -> None:
    palette = Palette(COLOURS[: len(made.classes) + 1])
    means = table.mean_of_cases("dice")
    ranked = [int(row) for row in np.argsort(means, kind="stable") if not np.isnan(means[row])] or [0]
    places = np.linspace(0, len(ranked) - 1, min(made.drawn, len(ranked))).round().astype(int)
    for row in (ranked[place] for place in places):
        pictures = scene(row, float(np.nan_to_num(means[row])), made)
        write_pictures(folder / "pictures" / case_name(table.ids[row]), *pictures, palette)
    if not made.thumbnails:
        return
    kinds = [folder / f"kind{kind}.webp" for kind in range(min(8, len(table.ids)))]
    for kind, file in enumerate(kinds):
        write_thumbnail(file, *scene(kind, 0.85, made), palette)
    for row, key in enumerate(table.ids):
        shutil.copy(kinds[row % len(kinds)], folder / "thumbnails" / f"{case_name(key)}.webp")
    for file in kinds:
        file.unlink()


def scene(seed: int, dice: float, made: Made) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image, its truth and a prediction that is the further away the lower the Dice."""
    random, side = np.random.default_rng(seed), made.side
    truth, guess = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    folds = cv2.resize(random.random((9, 9)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    image = (np.array([168, 84, 66]) + 60 * (folds[..., None] - 0.5)).clip(0, 255).astype(np.uint8)
    for c in range(1, len(made.classes) + 1):
        centre, axes = random.uniform(0.28, 0.72, 2) * side, random.uniform(0.08, 0.22, 2) * side
        shift = (1 - dice) * 1.2 * axes
        for mask, place in [(truth, centre), (guess, centre + shift)][: 2 if dice else 1]:
            cv2.ellipse(mask, tuple(map(int, place)), tuple(map(int, axes)), 30, 0, 360, c, -1)
        cv2.ellipse(image, tuple(map(int, centre)), tuple(map(int, axes)), 30, 0, 360, (204, 122, 98), -1)
    image = cv2.GaussianBlur(image, (0, 0), side / 100)
    if made.noisy:
        image = (image + random.normal(0, 14, image.shape)).clip(0, 255).astype(np.uint8)
    return image, truth, guess


def _write_data(folder: Path, made: Made) -> None:
    names = ("background", *made.classes)
    others = {side: [f"{side}-{i:03d}" for i in range(number)] for side, number in (("train", 14), ("val", 4))}
    sides = {**others, "test": list(made.ids)}
    groups = dict(zip(made.ids, made.groups, strict=True))
    shape, spacing = ([24, made.side, made.side], [3.0, 1.0, 1.0]) if made.volumes else ([made.side, made.side], None)
    samples = [
        {"id": key, "group": groups.get(key, key), "shape": shape, "spacing": spacing}
        for keys in sides.values() for key in keys
    ]  # fmt: skip
    _write_json(folder / "index.json", {"dataset": _dataset(names, made), "samples": samples})
    balance = {
        side: {"samples": len(keys), "groups": len({groups.get(key, key) for key in keys})}
        | {name: {"share": round(1 / (2 + c), 6), "samples": len(keys)} for c, name in enumerate(names)}
        for side, keys in sides.items()
    }
    _write_json(folder / "split.json", {**sides, "summary": {"balance": balance, "leaks": []}})
    _write_json(folder / "quality.json", _quality(names, samples, made))


def _dataset(names: Sequence[str], made: Made) -> dict:
    classes = [{"name": name, "colour": list(COLOURS[c % 7])} for c, name in enumerate(names)]
    licence, citation = "research and education only", "Jha et al., Kvasir-SEG, MMM 2020"
    kind = {"channels": 1 if made.volumes else 3, "modality": "ct" if made.volumes else "endoscopy"}
    return {
        "name": "kvasir", "classes": classes, **kind, "licence": licence, "citation": citation,
        "overlapping": made.overlapping,
    }  # fmt: skip


def _quality(names: Sequence[str], samples: Sequence[dict], made: Made) -> dict:
    pair = ("train-001", "train-002")
    finding = {
        "code": "near_duplicate", "severity": "warning", "samples": list(pair),
        "message": "the images are nearly the same (correlation 0.9999); their masks agree with Dice 0.981",
        "fix": "keep one, or accept it: the split keeps them on one side", "files": [],
        "key": "near_duplicate train-001 train-002",
    }  # fmt: skip
    shape = "×".join(map(str, samples[0]["shape"]))
    return {
        "findings": [finding] if made.findings else [],
        "accepted": ["empty_mask train-003"] if made.findings else [],
        "clusters": [list(pair)] if made.findings else [],
        "summary": {
            "samples": len(samples),
            "groups": len({sample["group"] for sample in samples}),
            "shapes": {shape: len(samples)},
            "spacings": {"3×1×1" if made.volumes else "unknown": len(samples)},
            "dtypes": {"uint8": len(samples)},
            "foreground_share": {"least": 0.01, "5%": 0.02, "median": 0.15, "95%": 0.4, "most": 0.71},
            "ignored_pixels": 0,
            "classes": {name: {"pixels": 9000 // (c + 1), "samples": len(samples)} for c, name in enumerate(names)},
        },
    }


def _write_training(folder: Path) -> None:
    epochs, rows = range(1, 41), {"loss": [], "dice": [], "lr": []}
    random = np.random.default_rng(0)
    for epoch in epochs:
        fall = float(np.exp(-epoch / 9))
        noise = random.normal(0, 0.015, 3)
        rows["loss"].append([epoch, round(0.16 + 1.1 * fall + noise[0] / 3, 6), round(0.3 + fall + noise[1], 6)])
        rows["dice"].append([epoch, round(0.89 - 0.6 * fall + noise[2], 6)])
        rows["lr"].append([epoch, round(0.001 * min(1, epoch / 4) * (1 + np.cos(np.pi * epoch / 40)) / 2, 9)])
    for name, header in {"loss": ("train", "val"), "dice": ("val",), "lr": ("lr",)}.items():
        _write_tsv(folder / f"plots/{name}.tsv", ["epoch", *header], rows[name])
    summary = {"best_epoch": 36, "epochs": 40, "train_loss": 0.18, "val_loss": 0.33, "val_dice": 0.885}
    _write_json(folder / "metrics.json", summary | {"deterministic": True, "weights": 401_234})


def _write_tsv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
