"""A model file with the settings of the current folder."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from seglib.errors import SegError
from seglib.opening import Device, current_settings, open_segmentation
from seglib.sections.predict import PLAIN, ModelFile
from seglib.sections.prune import NO_MODEL
from tests.model_cards import CARD, PLAIN_PREDICT, card
from tests.predicting import THREE, predictor, write_model

pytestmark = pytest.mark.usefixtures("own_folder")


def write_params(**predict):
    YAML().dump({"predict": PLAIN_PREDICT | predict}, Path("params.yaml"))


def opened(name="best.pt", device: Device = "auto", threads=1, **settings):
    return open_segmentation(Path(name), device, threads, settings=PLAIN.model_copy(update=settings))


def test_without_a_project_settings_are_plain():
    assert current_settings().model_dump() == PLAIN_PREDICT
    Path("params.yaml").write_text("other: {}\n")
    assert current_settings() == PLAIN


def test_settings_are_those_of_the_folder_but_for_what_is_asked():
    write_params(threshold=0.3, min_pixels=5, rotations=True)
    assert current_settings().model_dump() == PLAIN_PREDICT | {"threshold": 0.3, "min_pixels": 5, "rotations": True}
    changed = current_settings(mirrored=True, threshold=0.7)
    assert (changed.threshold, changed.flips, changed.rotations, changed.min_pixels) == (0.7, True, True, 5)


def test_wrong_settings_are_told():
    write_params(overlap=2.0)
    with pytest.raises(SegError, match=r"predict.overlap: .*less than 1"):
        current_settings()


def test_a_trained_model_segments_as_it_does_in_evaluation():
    own = card()
    model = write_model(Path("best.pt"), own)
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    asked = predictor(own, model)
    expected = asked.mask(asked.predict(image, None).own_size, 0.5)[0]
    assert np.array_equal(opened().segment(image, None).mask, expected)
    assert torch.get_num_threads() == 1


def test_the_automatic_threshold_is_the_one_that_evaluation_chose():
    write_model(Path("models/best.pt"), card())
    with pytest.raises(SegError, match=r"auto, but reports/evaluate/metrics.json tells none; run `dvc repro evaluate`"):
        opened("models/best.pt", threshold="auto")
    Path("reports/evaluate").mkdir(parents=True)
    Path("reports/evaluate/metrics.json").write_text(json.dumps({"threshold": 0.35}))
    assert opened("models/best.pt", threshold="auto").threshold == 0.35
    assert opened(str(Path("models/best.pt").absolute()), threshold="auto").threshold == 0.35
    assert opened("models/best.pt", threshold=0.6).threshold == 0.6


def test_the_automatic_threshold_is_that_of_no_other_model():
    for name in ("models/best.pt", "models/pruned.pt"):
        write_model(Path(name), card())
    Path("reports/evaluate").mkdir(parents=True)
    Path("reports/evaluate/metrics.json").write_text(json.dumps({"threshold": 0.35}))
    with pytest.raises(SegError, match=r"for models/best.pt only, not for models/pruned.pt; give a number"):
        opened("models/pruned.pt", threshold="auto")


def test_a_file_that_stands_for_no_pruned_model():
    Path("pruned.pt").write_bytes(NO_MODEL)
    with pytest.raises(SegError, match=r"pruned.pt: holds no model, for nothing was pruned; set prune.ratio"):
        opened("pruned.pt")


def write_member(own):
    write_model(Path("other.pt"), own, seed=1)
    digest = hashlib.sha256(Path("other.pt").read_bytes()).hexdigest()
    return ModelFile(path=str(Path("other.pt").absolute()), sha256=digest)


@pytest.mark.parametrize("together", [False, True])
def test_an_image_on_which_the_network_fails_is_told_with_its_shape(together):
    own = card(padding=False, image_size=1.0, options=CARD.options | {"channels": [4, 8, 8]})
    write_model(Path("best.pt"), own)
    ensemble = [write_member(own)] if together else []
    with pytest.raises(SegError, match=r"best.pt: failed on values of shape \(1, 3, 30, 37\)"):
        opened(ensemble=ensemble).segment(np.zeros((30, 37, 3), np.uint8), None)


def test_members_of_an_ensemble_predict_together():
    write_model(Path("best.pt"), card())
    member = write_member(card())
    assert len(opened(ensemble=[member]).predictor.models) == 2
    with pytest.raises(SegError, match=r"predict.ensemble: its members go with .pt files only, not with best.onnx"):
        opened("best.onnx", ensemble=[member])


@pytest.mark.parametrize("name", ["absent.pt", "absent.onnx"])
def test_a_model_that_is_not_there(name):
    with pytest.raises(SegError, match=f"{name} is missing"):
        opened(name)


def test_a_file_that_is_no_model():
    Path("best.pt").write_bytes(b"no model")
    with pytest.raises(SegError, match=r"best.pt: not a readable model file"):
        opened()
    Path("best.zzz").touch()
    with pytest.raises(SegError, match=r"best.zzz: no known format of a model .'.zzz'.; known: .pt, "):
        opened("best.zzz")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there():
    write_model(Path("best.pt"), card())
    with pytest.raises(SegError, match="--device cuda: this PyTorch sees no GPU; choose auto or cpu"):
        opened(device="cuda")


def test_exported_files_have_no_device():
    with pytest.raises(SegError, match=r"--device cuda: \.onnx files choose their device themselves"):
        opened("best.onnx", device="cuda")


def test_settings_that_do_not_go_with_the_model():
    write_model(Path("best.pt"), card(classes=THREE))
    with pytest.raises(SegError, match="softmax head of 3 classes"):
        opened(threshold=0.3)
