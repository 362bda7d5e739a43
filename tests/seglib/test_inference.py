"""Masks at the image's own size, as before where nothing more is asked for, by several models and in several views."""

import numpy as np
import pytest
import torch
from monai.inferers.utils import sliding_window_inference

from seglib.checkpoint import Segmenter, build_segmenter
from seglib.errors import SegError
from seglib.inference import Predictor
from seglib.io.planes import merge_planes
from seglib.io.resize import geometry
from seglib.mask_values import mask_of
from seglib.postprocessing import Changes
from seglib.sections.pixels import Pixels
from seglib.sections.predict import Predict
from tests.model_cards import PLAIN_PREDICT, card

CPU = torch.device("cpu")
ANY = torch.tensor([-torch.inf, torch.inf])
SOFTMAX, EXCLUSIVE, OVERLAPPING = {}, {"sigmoid": True}, {"sigmoid": True, "overlapping": True}
THREE = [{"name": name, "colour": [9, 9, 9]} for name in ("background", "one", "two")]


class Bright(torch.nn.Module):
    """Class 1 where the normalised image is above the mean."""

    def forward(self, images):
        return torch.stack([-images[:, 0], images[:, 0]], 1) * 50


class BrightAndDark(torch.nn.Module):
    """Two classes that overlap where an image is neither very bright nor very dark."""

    def forward(self, images):
        return torch.stack([images[:, 0] + 1, 1 - images[:, 0]], 1) * 50


class Certain(torch.nn.Module):
    """The first channel as it is, each value a logit of class 1 against none."""

    def forward(self, images):
        return torch.stack([torch.zeros_like(images[:, 0]), images[:, 0]], 1)


class Slanted(torch.nn.Module):
    """Class 1 is the more certain the farther to the right, whatever the image."""

    def forward(self, images):
        slope = torch.linspace(-1, 1, images.shape[-1]).expand(images[:, 0].shape)
        return torch.stack([torch.zeros_like(slope), slope], 1)


def segmenter(network=None, mean=100.0, std=50.0, dims=2):
    each = (1, 3, *[1] * dims)
    return Segmenter(network or Bright(), torch.full(each, mean), torch.full(each, std), ANY)


def predictor(models, own, **settings):
    models = models if isinstance(models, list) else [models]
    return Predictor(models, own, Predict.model_validate(PLAIN_PREDICT | settings), CPU)


def mask(models, own, image, spacing=None, *, threshold=0.5, **settings):
    asked = predictor(models, own, **settings)
    return asked.mask(asked.predict(image, spacing).own_size, threshold)[0]


def square(dtype="uint8"):
    image = np.zeros((41, 63, 3), dtype)
    image[10:30, 20:50] = 200
    return image


def noise(*shape, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(dtype)


def as_always(model, own, image, spacing):
    """The mask as the pipeline gave it before it knew views, ensembles and thresholds."""
    pixels = Pixels.model_validate(own.pixels)
    shape, window = geometry(image.shape[:-1], spacing, pixels), pixels.crop(own.dims)
    batch = torch.from_numpy(np.ascontiguousarray(np.moveaxis(shape.image(image), -1, 0)))[None]
    with torch.inference_mode():
        if window is None or all(side <= most for side, most in zip(batch.shape[2:], window, strict=True)):
            logits = model(batch)
        else:
            logits = sliding_window_inference(
                batch.float(), window, 1, model, overlap=0.5, mode="gaussian", padding_mode="replicate"
            )
        assert isinstance(logits, torch.Tensor)
        logits = logits.float()
        found = (logits.sigmoid() if own.sigmoid else logits.softmax(1))[0].numpy()
    found = shape.back(found)
    if own.overlapping:
        return merge_planes(found > 0.5)
    best = found.argmax(0).astype(np.uint8)
    return np.where(found.max(0) > 0.5, best + 1, 0).astype(np.uint8) if own.sigmoid else best


@pytest.mark.parametrize("head", [SOFTMAX, EXCLUSIVE, OVERLAPPING], ids=["softmax", "sigmoid", "overlapping"])
@pytest.mark.parametrize(
    ("shape", "asked"),
    [
        ((41, 63), {}),
        ((41, 63), {"image_size": 96, "resize": "pad"}),
        ((41, 63), {"image_size": [56, 80]}),
        ((41, 63), {"image_size": 32, "resize": "native"}),
        ((41, 63), {"image_size": 1.0, "spacing": [1.0, 2.0]}),
        ((9, 20, 17), {"image_size": [8, 16, 16], "resize": "native"}),
        ((9, 20, 17), {"image_size": [12, 16, 24]}),
    ],
    ids=["scale", "pad", "stretch", "native", "spacing", "windows in a volume", "volume"],
)
def test_plain_settings_give_the_masks_that_there_always_were(shape, asked, head):
    """With random weights, whose probabilities lie close to each other."""
    own = card(dims=len(shape), classes=THREE, **{"image_size": 0.5, **asked, **head})
    torch.manual_seed(0)
    model = build_segmenter(own, torch.full((3,), 127.0), torch.full((3,), 70.0)).eval()
    image, spacing = noise(*shape), (1.5,) * len(shape)
    expected = as_always(model, own, image, spacing)
    assert len(np.unique(expected)) > 1
    found = mask(model, own, image, spacing)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"image_size": 96, "resize": "pad"},
        {"image_size": [56, 80]},
        {"image_size": 64, "resize": "native"},
        {"image_size": 1.0, "spacing": [1.0, 2.0]},
    ],
    ids=["scale", "pad", "stretch", "native", "spacing"],
)
def test_prediction_has_the_images_own_size_and_sees_raw_values(dtype, asked):
    image = square(dtype)
    for settings in ({}, {"flips": True, "rotations": True, "scales": [1.0, 1.5]}):
        found = mask(segmenter(), card(**asked), image, (1.5, 1.0), **settings)
        assert (found.shape, found.dtype) == ((41, 63), np.uint8)
        assert (found == (image[:, :, 0] > 100)).mean() > 0.95


def test_overlapping_classes_are_told_as_bits():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 20:40], image[:, 40:] = 100, 200
    found = mask(segmenter(BrightAndDark()), card(overlapping=True, sigmoid=True, image_size=1.0, classes=THREE), image)
    assert found.dtype == np.uint8
    assert [set(np.unique(found[:, part])) for part in (slice(0, 19), slice(21, 39), slice(41, 60))] == [{2}, {3}, {1}]


def test_spacing_that_is_not_known_is_told():
    with pytest.raises(SegError, match="no known spacing"):
        mask(segmenter(), card(spacing=[1.0, 1.0]), square())


@pytest.mark.parametrize(
    "asked",
    [{"image_size": [8, 16, 16], "resize": "native"}, {"image_size": [12, 20, 24]}, {"spacing": [1.0, 1.0, 2.0]}],
    ids=["native", "stretch", "spacing"],
)
def test_a_volume_is_predicted_at_its_own_size(asked):
    volume = np.zeros((17, 30, 26, 3), "int16")
    volume[4:12, 10:25, 6:20] = 200
    own = card(dims=3, **{"image_size": 1.0, **asked})
    for settings in ({}, {"flips": True, "rotations": True}):
        found = mask(segmenter(dims=3), own, volume, (1.0, 1.0, 2.0), **settings)
        assert (found.shape, found.dtype) == ((17, 30, 26), np.uint8)
        assert (found == (volume[..., 0] > 100)).mean() > 0.9


@pytest.mark.parametrize(
    ("asked", "seen"),
    [({"image_size": 0.5}, (20, 32)), ({"image_size": 96, "resize": "pad"}, (62, 96)), ({"image_size": 24}, (24, 24))],
    ids=["scale", "pad", "stretch"],
)
def test_probabilities_are_given_at_the_models_size_too_with_the_truth_that_goes_with_them(asked, seen):
    found = predictor(segmenter(), card(**asked)).predict(square(), None)
    assert (found.model_size.shape, found.own_size.shape) == ((2, *seen), (2, 41, 63))
    assert found.model_size.dtype == found.own_size.dtype == np.float32
    truth = found.truth_at_model_size((square()[:, :, 0] > 100).astype(np.uint8))
    assert truth.shape == seen
    assert (mask_of(found.model_size, card().head) == truth).mean() > 0.95


def test_the_threshold_decides_what_is_foreground():
    """Logits 0, 1 and 2: probabilities 0.5, 0.731 and 0.881."""
    image = np.zeros((1, 9, 3), np.float32)
    image[:, 3:6], image[:, 6:] = 1, 2
    own, model = card(image_size=1.0), segmenter(Certain(), 0.0, 1.0)
    counts = {level: int(mask(model, own, image, threshold=level).sum()) for level in (0.4, 0.5, 0.7, 0.8, 0.9)}
    assert counts == {0.4: 9, 0.5: 6, 0.7: 6, 0.8: 3, 0.9: 0}


def test_an_ensemble_averages_probabilities_and_each_model_normalises_for_itself():
    image = np.zeros((8, 8, 3), np.float32)
    image[:, 4:] = 4
    models = [segmenter(Certain(), 0.0, 1.0), segmenter(Certain(), 4.0, 2.0)]
    found = predictor(models, card(image_size=1.0)).predict(image, None).own_size[1, 0, [0, -1]]

    def sigmoid(logit):
        return 1 / (1 + np.exp(-logit))

    np.testing.assert_allclose(found, [(sigmoid(0) + sigmoid(-2)) / 2, (sigmoid(4) + sigmoid(0)) / 2], rtol=1e-6)


def test_a_model_that_joins_itself_changes_nothing():
    model, own, image = segmenter(Certain(), 100.0, 50.0), card(), noise(20, 30)
    alone = predictor(model, own).predict(image, None)
    twice = predictor([model, model], own).predict(image, None)
    assert np.array_equal(alone.own_size, twice.own_size)


def test_views_average_probabilities():
    """Of a network that looks at the place alone, the mirror image says the opposite."""
    own, image = card(image_size=1.0), np.zeros((5, 7, 3), np.float32)
    plain = predictor(segmenter(Slanted()), own).predict(image, None).own_size[1]
    assert plain[0, 0] < 0.3
    assert plain[0, -1] > 0.7
    flipped = predictor(segmenter(Slanted()), own, flips=True).predict(image, None).own_size[1]
    np.testing.assert_allclose(flipped, (plain + plain[:, ::-1]) / 2, rtol=1e-6)
    turned = predictor(segmenter(Slanted()), own, rotations=True).predict(image, None).own_size[1]
    np.testing.assert_allclose(turned, 0.5, rtol=1e-6)


def test_scales_show_the_network_other_sizes_of_the_same_image():
    sizes = []
    model = segmenter(Certain(), 100.0, 50.0)
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    found = predictor(model, card(image_size=[24, 32]), scales=[0.5, 1.0, 1.5]).predict(square(), None)
    assert sizes == [(12, 16), (24, 32), (36, 48)]
    each = [
        predictor(model, card(image_size=[24, 32]), scales=[scale]).predict(square(), None) for scale in (0.5, 1.0, 1.5)
    ]
    np.testing.assert_allclose(found.model_size, np.mean([one.model_size for one in each], axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.own_size, np.mean([one.own_size for one in each], axis=0), rtol=1e-5)


def test_an_even_image_is_the_same_at_every_scale_and_size():
    image = np.full((20, 30, 3), 150, np.uint8)
    found = predictor(segmenter(Certain()), card(), scales=[0.3, 2.0], flips=True, rotations=True).predict(image, None)
    np.testing.assert_allclose(found.own_size[1], 1 / (1 + np.exp(-1)), rtol=1e-6)


def test_windows_overlap_as_much_as_is_asked_for():
    seen = []
    model = segmenter()
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    own = card(image_size=8, resize="native")
    for overlap, windows in ((0.0, 4), (0.5, 9), (0.75, 25)):
        seen.clear()
        predictor(model, own, overlap=overlap).predict(noise(16, 16), None)
        assert len(seen) == windows


def test_images_together_are_predicted_as_each_alone():
    images = [noise(20, 30) // shrink for shrink in (1, 2, 3)]
    own = card(image_size=32, resize="pad")
    asked = predictor(segmenter(Certain()), own, flips=True, scales=[1.0, 0.5])
    shape = geometry((20, 30), None, Pixels.model_validate(own.pixels))
    for together, image in zip(asked.predict_together(images, shape), images, strict=True):
        alone = asked.predict(image, None)
        np.testing.assert_allclose(together.own_size, alone.own_size, rtol=0, atol=1e-6)
        np.testing.assert_allclose(together.model_size, alone.model_size, rtol=0, atol=1e-6)


def test_post_processing_is_reported():
    image = np.zeros((40, 40, 3), np.uint8)
    image[5:25, 5:25] = 200
    image[10:12, 10:12] = 0
    image[35, 35] = 200
    asked = predictor(segmenter(), card(image_size=1.0), min_pixels=2, fill_holes=5)
    found, changes = asked.mask(asked.predict(image, None).own_size, 0.5)
    assert changes == Changes(objects=1, pixels_removed=1, holes=1, pixels_filled=4)
    assert found.sum() == 400


@pytest.mark.parametrize("threshold", [0.4, "auto"])
def test_a_threshold_that_means_nothing_is_refused(threshold):
    with pytest.raises(SegError, match=r"predict.threshold: .*softmax head of 3 classes .*set 0.5, or .*sigmoid"):
        predictor(segmenter(), card(classes=THREE), threshold=threshold)
    predictor(segmenter(), card(classes=THREE), threshold=0.5)
    predictor(segmenter(), card(classes=THREE, sigmoid=True), threshold=threshold)
    predictor(segmenter(), card(), threshold=threshold)


def test_scales_need_a_network_that_takes_any_size():
    with pytest.raises(SegError, match=r"predict.scales: \[1.0, 1.5\], but .*model.padding: false"):
        predictor(segmenter(), card(padding=False), scales=[1.0, 1.5])
    predictor(segmenter(), card(padding=False), flips=True)
