"""Validate every parameter at once, before DVC deletes anything."""

import os
from typing import Any

from pydantic import ValidationError

from seglib import datasets, losses, models, plugins, schedulers
from seglib.compatibility import conflicts
from seglib.config import Section, forbidden_keys, own_values, problems, read_params
from seglib.errors import SegError, nearest
from seglib.measures import FIGURES
from seglib.paths import CONFIG, PARAMS
from seglib.sections.augment import Augment, preset
from seglib.sections.check import Check
from seglib.sections.compare import Rule
from seglib.sections.data import Data
from seglib.sections.evaluate import Evaluate
from seglib.sections.export import Export
from seglib.sections.network import Model
from seglib.sections.objective import Objective
from seglib.sections.optimizer import Optimizer
from seglib.sections.predict import Predict
from seglib.sections.preprocess import Preprocess
from seglib.sections.prune import Prune
from seglib.sections.scheduler import Scheduler
from seglib.sections.selection import Selection
from seglib.sections.split import Split
from seglib.sections.train import Train
from seglib.widths import narrowed

SECTIONS: dict[str, type[Section]] = {
    "data": Data,
    "preprocess": Preprocess,
    "check": Check,
    "split": Split,
    "augment": Augment,
    "model": Model,
    "loss": Objective,
    "optimizer": Optimizer,
    "scheduler": Scheduler,
    "train": Train,
    "predict": Predict,
    "evaluate": Evaluate,
    "compare": Rule,
    "prune": Prune,
    "export": Export,
}


def main() -> None:
    """Check `params.yaml` and write the constant file that `download` waits for."""
    params = read_params()
    found = [*_unusable_keys(params), *_sections(params), *_plugins(params), *_augment(params)]
    found = found or [*_source(params), *_ensemble(params), *_metric(params), *_conflicts(params)]
    if found:
        raise SegError("\n  ".join([f"{PARAMS} has {len(found)} problem{'s'[: len(found) > 1]}:", *found]))
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text("params.yaml is valid\n")


def _unusable_keys(params: dict[str, Any]) -> list[str]:
    unknown = [f"{key}: unknown section; {nearest(key, SECTIONS)}" for key in params if key not in SECTIONS]
    ignored = [f"{place}: DVC's run cache ignores this key; name it otherwise" for place in forbidden_keys(params)]
    return unknown + ignored


def _sections(params: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for name, model in SECTIONS.items():
        if name not in params:
            found.append(f"{name}: missing section")
            continue
        try:
            model.model_validate(own_values(params, name, model))
        except ValidationError as error:
            found += problems(error, model, name)
    return found


def _plugins(params: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for package in (datasets, models, losses, schedulers):
        kind = plugins.SECTIONS[package.__name__]
        values = params.get(kind)
        if not isinstance(values, dict):
            continue
        known = plugins.names(package)
        if isinstance(values.get("name"), str) and values["name"] not in known:
            found.append(f"{kind}.name: no '{values['name']}'; {nearest(values['name'], known)}")
        found += [
            f"{kind}.{key}: options of an unknown plug-in; {nearest(key, known)}"
            for key, value in values.items()
            if key != "name" and isinstance(value, Selection.plugin_values) and key not in known
        ]
        for name in known:
            try:
                plugins.options(plugins.load(package, name), params)
            except SegError as error:
                found += str(error).splitlines()
    return found


def _augment(params: dict[str, Any]) -> list[str]:
    values = params.get("augment")
    if not isinstance(values, dict):
        return []
    found: list[str] = []
    selected = [values["name"]] if isinstance(values.get("name"), str) else []
    for name in {*selected, *(key for key in values if key != "name")}:
        try:
            preset(params, name)
        except SegError as error:
            found.append(str(error))
    return sorted(found)


def _conflicts(params: dict[str, Any]) -> list[str]:
    """Whether classes overlap is known only from the data, so `train` looks again."""
    options = params["data"][params["data"]["name"]] or {}
    found = conflicts(params, 3 if options.get("take") == "volume" else 2, overlapping=None)
    return [*found, *_scales(params), *_pruning(params)]


def _scales(params: dict[str, Any]) -> list[str]:
    scales = Predict.model_validate(params["predict"]).scales
    if params["model"]["padding"] or all(scale == 1 for scale in scales):
        return []
    return [f"predict.scales: {scales}, but model.padding: false takes one size only; set [1.0], or pad"]


def _pruning(params: dict[str, Any]) -> list[str]:
    name, ratio = params["model"]["name"], params["prune"]["ratio"]
    try:
        if ratio:
            narrowed(name, params["model"][name] or {}, ratio)
    except SegError as error:
        return [str(error)]
    return []


def _source(params: dict[str, Any]) -> list[str]:
    data = Data.model_validate(own_values(params, "data", Data))
    if data.local and not os.access(data.local, os.R_OK):
        return [f"data.path: {data.path} does not exist, or may not be read; name your archive or folder"]
    published = plugins.load(datasets, data.name).PUBLISHED
    if not (data.local or data.url or published):
        return [f"data.path: '{data.name}' has no published source; name your archive or folder, absolute"]
    return []


def _metric(params: dict[str, Any]) -> list[str]:
    metric, known = params["compare"]["metric"], [figure.name for figure in FIGURES]
    return [] if metric in known else [f"compare.metric: no figure '{metric}'; {nearest(metric, known)}"]


def _ensemble(params: dict[str, Any]) -> list[str]:
    """Their digests are checked by `evaluate`."""
    members = Predict.model_validate(params["predict"]).ensemble
    return [
        f"predict.ensemble: {member.path} does not exist, or may not be read; check the path"
        for member in members
        if not os.access(member.path, os.R_OK)
    ]
