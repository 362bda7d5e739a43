"""Pruning and fine-tuning on twelve generated images: what it gains, tells and keeps, also when broken off."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

import stages.prune
from seglib.checkpoint import load_checkpoint, save_checkpoint
from seglib.config import read_params
from seglib.engine import DivergedError, Training
from seglib.errors import SegError
from seglib.fabric import open_fabric
from seglib.paths import BEST, CACHE, ENCODER, INDEX, SPLIT
from seglib.training_run import Run
from seglib.training_setup import Setup
from tests.prepared import prepare, small_params
from tests.training import cases

PRUNED = Path("models/pruned.pt")
METRICS = Path("reports/prune/metrics.json")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a small network, trained on images whose bright part is to be found."""
    folder, params = tmp_path_factory.mktemp("trained"), small_params(epochs=20)
    params["prune"] = {"ratio": 0.5, "epochs": 6, "lr": 0.01}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("DVC_ROOT", raising=False)
        prepare(params)
        train(params)
    return folder


def train(params):
    setup = Setup(params, INDEX, CACHE, SPLIT)
    fabric = open_fabric(setup.settings)
    run = Run("train", params, fabric)
    training = setup.training(fabric, ENCODER)
    best = run.fit(training, setup.card, Path("rescued.pt"))
    shutil.copyfile(run.resume.best(best.epoch), BEST)
    run.resume.clear()
    Path("trained.json").write_text(json.dumps(best.val_dice))


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    """A copy of it, as the current folder."""
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path / "copy"


def change(**values):
    params = read_params()
    for place, value in values.items():
        section, _, key = place.partition("__")
        params[section][key] = value
    YAML().dump(params, Path("params.yaml"))


def figures():
    return json.loads(METRICS.read_text())


@pytest.mark.usefixtures("folder")
def test_fine_tuning_brings_back_what_pruning_cost(capsys):
    stages.prune.main()
    found = figures()
    assert list(found) == [
        "ratio", "weights_before", "flops_before", "weights_after", "flops_after",
        "val_dice_before", "val_dice_pruned", "val_dice",
    ]  # fmt: skip
    assert found["ratio"] == 0.5
    assert found["val_dice_before"] == round(json.loads(Path("trained.json").read_text()), 6)
    assert found["val_dice_before"] > 0.9
    assert found["val_dice"] > found["val_dice_pruned"] + 0.02
    assert found["val_dice"] > found["val_dice_before"] - 0.05
    for cost in ("weights", "flops"):
        assert found[f"{cost}_after"] < 0.4 * found[f"{cost}_before"]
    told = capsys.readouterr().out
    assert "epoch 6/6" in told
    assert f"{found['weights_after']:,} of {found['weights_before']:,} weights" in told


@pytest.mark.usefixtures("folder")
def test_the_model_opens_as_every_other():
    stages.prune.main()
    (whole, card), (smaller, smaller_card) = load_checkpoint(BEST), load_checkpoint(PRUNED)
    assert smaller_card.options == card.options | {"channels": [4, 8]}
    assert (smaller_card.data, smaller_card.seen, smaller_card.dataset) == (card.data, card.seen, card.dataset)
    assert sum(weight.numel() for weight in smaller.parameters()) == figures()["weights_after"]
    assert PRUNED.stat().st_size < BEST.stat().st_size
    image = cases(1, height=16)["case0"]["image"][None]
    with torch.no_grad():
        agree = (smaller(image).argmax(1) == whole(image).argmax(1)).float().mean()
    assert agree > 0.9


def test_a_run_that_is_broken_off_goes_on_to_the_same_bytes(folder, monkeypatch, capsys):
    stages.prune.main()
    undisturbed = [PRUNED.read_bytes(), METRICS.read_bytes()]
    PRUNED.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Training, "_run_epoch", broken_off_in(4, Training._run_epoch))
        with pytest.raises(KeyboardInterrupt):
            stages.prune.main()
    assert not PRUNED.exists()
    capsys.readouterr()
    stages.prune.main()
    assert "going on after epoch 3 of a training that was broken off" in capsys.readouterr().out
    assert [PRUNED.read_bytes(), METRICS.read_bytes()] == undisturbed
    assert not list(folder.glob(".store/training/*/state"))


def broken_off_in(epoch, run_epoch):
    def run(training, number):
        if number == epoch:
            raise KeyboardInterrupt
        return run_epoch(training, number)

    return run


@pytest.mark.usefixtures("folder")
def test_parameters_that_change_meanwhile_are_refused(monkeypatch):
    def run(training, number, run_epoch=Training._run_epoch):
        change(prune__lr=0.02)
        return run_epoch(training, number)

    monkeypatch.setattr(Training, "_run_epoch", run)
    with pytest.raises(SegError, match="were changed while it ran"):
        stages.prune.main()
    assert not PRUNED.exists()


@pytest.mark.usefixtures("folder")
def test_a_fine_tuning_that_diverges_names_its_own_rate():
    whole, card = load_checkpoint(BEST)
    state = whole.state_dict()
    state["std"] = torch.full_like(state["std"], 1e-37)
    save_checkpoint(BEST, card, state)
    with pytest.raises(DivergedError, match=r"no epoch was good enough to keep. Lower prune.lr"):
        stages.prune.main()


@pytest.mark.usefixtures("folder")
def test_a_network_that_cannot_be_pruned_is_told_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(Training, "fit", lambda *_: pytest.fail("trained"))
    change(prune__ratio=0.01)
    with pytest.raises(SegError, match=r"prune.ratio: 0.01 is too little to remove a channel"):
        stages.prune.main()
    assert not os.path.lexists(PRUNED)
