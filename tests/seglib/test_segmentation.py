"""Pictures and volumes of any size, by models of two and of three axes."""

import tracemalloc

import numpy as np
import pytest

from seglib import bands, large_images
from seglib.errors import SegError
from seglib.evaluator import Evaluator
from seglib.io.sample import Sample
from seglib.io.volumes import Volume
from tests.model_cards import card
from tests.predicting import THREE, predictor, random_model, segmentation


def noise(*shape, dtype="uint8", seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


def as_evaluated(own, image, spacing=None, whole=None, **settings):
    """The mask that `evaluate` gives a sample."""
    nothing = np.zeros(image.shape[:-1], np.uint8)
    sample = Sample("a", "a", lambda: image, lambda: nothing, str, spacing, volume="v", whole=whole)
    return evaluated(own, sample, **settings)


def evaluated(own, sample, **settings):
    evaluator = Evaluator(predictor(own, **settings), own.spec, 2.0, in_mm=False)
    return evaluator.compare(sample, 0.5)[1].guess


@pytest.mark.parametrize(
    "asked",
    [
        {"image_size": 0.5},
        {"image_size": [24, 32]},
        {"image_size": 96, "resize": "pad"},
        {"image_size": 32, "resize": "native"},
        {"modality": "ct", "image_size": 1.0},
        {"modality": "mri", "image_size": 1.0, "percentiles": [1.0, 99.0]},
    ],
    ids=["scale", "stretch", "pad", "native", "ct", "mri"],
)
def test_a_picture_gets_the_mask_that_evaluation_gives_it(asked):
    own, image = card(classes=THREE, **asked), noise(41, 63, 3, dtype="int16" if "modality" in asked else "uint8")
    found = segmentation(own).segment(image, None)
    assert found.probabilities is None
    assert found.mask.dtype == np.uint8
    assert len(np.unique(found.mask)) > 1
    assert np.array_equal(found.mask, as_evaluated(own, image))


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (3, 2)])
@pytest.mark.parametrize("asked", [{"image_size": 0.5}, {"image_size": 32}, {"image_size": 32, "resize": "native"}])
def test_the_smallest_pictures_have_masks(shape, asked):
    assert segmentation(card(**asked)).segment(noise(*shape, 3), None).mask.shape == shape


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("take", ["axial", "coronal", "sagittal"])
def test_a_model_of_slices_sees_a_volume_as_evaluation_does(take, batch):
    """Evaluation sees samples: slices that are cut, mirrored and resized, clipped to percentiles of the volume."""
    own = card(take=take, modality="mri", channels=1, image_size=1.0, spacing=[1.5, 1.5], percentiles=[1.0, 99.0])
    image = noise(10, 20, 24, 1, dtype="int16") * np.arange(1, 11, dtype=np.int16)[:, None, None, None]
    shape, spacing = (10, 20, 24), (3.0, 1.2, 1.8)
    volume = Volume("v", "v", shape, spacing, lambda: image, lambda: np.zeros(shape, np.uint8), str)
    slices = [evaluated(own, sample) for sample in volume.samples(take)]
    found = segmentation(own, batch=batch).segment(image, spacing, keep=True)
    upright = {"axial": found.mask, "coronal": found.mask[::-1].swapaxes(0, 1)}
    upright["sagittal"] = found.mask[::-1].transpose(2, 0, 1)
    assert np.array_equal(upright[take], slices)
    assert found.mask.any()
    assert found.probabilities is not None
    assert np.array_equal(found.probabilities.argmax(0), found.mask)


def test_a_model_of_pictures_sees_axial_slices():
    """Also where its data set might have held volumes, to be taken whole."""
    image = noise(5, 20, 24, 1)
    whole, axial = (segmentation(card(channels=1, take=take)).segment(image, None).mask for take in ("volume", "axial"))
    assert np.array_equal(whole, axial)


def test_a_model_of_volumes_sees_the_whole():
    own = card(dims=3, channels=1, modality="ct", image_size=[8, 16, 16], resize="native")
    volume = noise(9, 20, 24, 1, dtype="int16")
    assert np.array_equal(segmentation(own).segment(volume, (2.0, 1.0, 1.0)).mask, as_evaluated(own, volume))


def test_images_of_one_size_pass_the_network_together():
    own, seen = card(image_size=1.0), []
    model = random_model(own)
    model.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    images = [noise(20, 30, 3, seed=seed) for seed in range(3)]
    together = segmentation(own, model).segment_together(images, None)
    assert seen == [3]
    alone = [segmentation(own, model).segment(image, None) for image in images]
    assert all(np.array_equal(one.mask, other.mask) for one, other in zip(together, alone, strict=True))


def test_the_threshold_and_post_processing_are_those_of_the_settings():
    own, image = card(image_size=1.0), noise(40, 50, 3)
    plain = segmentation(own).segment(image, None, keep=True)
    assert plain.probabilities is not None
    strict = segmentation(own, threshold=0.6).segment(image, None).mask
    assert np.array_equal(strict, plain.probabilities[1] > 0.6)
    assert not segmentation(own, min_pixels=10_000).segment(image, None).mask.any()


@pytest.mark.parametrize("head", [{}, {"sigmoid": True, "overlapping": True}], ids=["softmax", "overlapping"])
@pytest.mark.parametrize(
    "asked", [{"image_size": [24, 32]}, {"image_size": 32, "resize": "native"}], ids=["stretch", "native"]
)
def test_a_large_image_gets_the_same_mask(asked, head, monkeypatch):
    own, image = card(classes=THREE, **asked, **head), noise(120, 90, 3)
    whole = segmentation(own).segment(image, None, keep=True)
    monkeypatch.setattr(large_images, "MOST_VALUES", 1000)
    monkeypatch.setattr(bands, "BAND", 5000)
    found = segmentation(own).segment(image, None, keep=True)
    assert whole.probabilities is not None
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, whole.probabilities, rtol=0, atol=1e-6)
    near = np.abs(whole.probabilities - 0.5).min(0) < 1e-5
    near |= np.diff(np.sort(whole.probabilities, 0)[-2:], axis=0)[0] < 1e-5
    assert near.mean() < 0.01
    assert np.array_equal(found.mask[~near], whole.mask[~near])


def test_a_large_image_is_post_processed_too(monkeypatch):
    monkeypatch.setattr(large_images, "MOST_VALUES", 1000)
    assert not segmentation(card(image_size=[24, 32]), min_pixels=100_000).segment(noise(120, 90, 3), None).mask.any()


def test_memory_does_not_grow_with_the_probabilities_of_a_large_image(monkeypatch):
    """A mask of 4 MB, whose probabilities would take 16 times as much, from a network that sees 32 × 32 pixels."""
    monkeypatch.setattr(large_images, "MOST_VALUES", 1 << 18)
    monkeypatch.setattr(bands, "BAND", 1 << 17)
    own = card(classes=[*THREE, {"name": "more", "colour": [1, 1, 1]}], image_size=32)
    asked, image = segmentation(own), np.zeros((2048, 2048, 3), np.uint8)
    asked.segment(image[:600, :600], None)
    tracemalloc.start()
    try:
        mask = asked.segment(image, None).mask
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mask.nbytes + (12 << 20)


@pytest.mark.parametrize(
    ("own", "shape", "said"),
    [
        (card(dims=3, image_size=16), (40, 60, 3), "an image of 60×40 pixels, but the model was trained on volumes"),
        (card(channels=1), (40, 60, 3), "an image of 3 channels .60×40., but the model was trained on 1"),
        (card(), (9, 40, 60, 1), "an image of 1 channels .60×40×9., but the model was trained on 3"),
        (card(spacing=[1.0, 1.0]), (40, 60, 3), "no known spacing"),
    ],
    ids=["axes", "channels", "channels of a volume", "spacing"],
)
def test_an_image_that_does_not_go_with_the_model(own, shape, said):
    with pytest.raises(SegError, match=said):
        segmentation(own).segment(np.zeros(shape, np.uint8), None)
