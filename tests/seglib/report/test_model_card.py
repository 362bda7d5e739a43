import json
from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.report.model_card import model_card
from seglib.report.results import read_results


def facts(params) -> dict[str, str]:
    return dict(model_card(read_results(), params).facts)


def test_architecture_size_and_training(params):
    found = facts(params)
    assert found["Architecture"] == "unet"
    assert found["Size"] == "401,234 weights, 1.5 MB as a file"
    assert found["Starts from"] == "random weights"
    assert found["Trained on"] == "14 images of kvasir"
    assert found["Chosen by"] == "validation Dice on 4 images: epoch 36 of 40, Dice 0.885"
    assert found["Mask from probabilities"] == "a class above probability 0.5"


def test_published_weights_are_named_without_their_folder(params):
    params["model"]["name"] = "vgg16_unet"
    params["model"]["vgg16_unet"] |= {"weights": "/home/me/vgg16.pth", "sha256": "ab" * 32}
    assert facts(params)["Starts from"] == "published weights of the encoder, vgg16.pth (sha256 abababababab…)"


def test_secrets_in_the_weights_address_are_not_told(params):
    params["model"]["name"] = "vgg16_unet"
    params["model"]["vgg16_unet"] |= {"weights": "https://me:secret@host/vgg16.pth?token=1", "sha256": "ab" * 32}
    assert "encoder, https://host/vgg16.pth (sha256" in facts(params)["Starts from"]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (1.0, "as published"),
        (0.5, "0.5 times the published one"),
        (256, "256 pixels, stretch"),
        ([96, 64], "[96, 64] pixels, stretch"),
    ],
)
def test_the_size_of_the_images(params, size, shown):
    params["preprocess"]["image_size"] = size
    assert facts(params)["Image size"] == shown


def test_everything_that_makes_a_mask_is_told(params):
    params["predict"] |= {"threshold": "auto", "flips": True, "rotations": True, "scales": [0.75, 1.0]}
    params["predict"] |= {"min_pixels": 20, "fill_holes": 9, "ensemble": [{"path": "/a.pt", "sha256": "0" * 64}]}
    assert facts(params)["Mask from probabilities"] == (
        "a class above probability 0.5, chosen on the validation side; mean over flips and rotations; "
        "mean over the scales [0.75, 1.0]; mean of 2 models; objects under 20 pixels removed; "
        "holes under 9 pixels filled"
    )


def test_softmax_of_several_classes_has_no_threshold(write, params):
    file = Path("reports/evaluate/plots/classes.tsv")
    header, row = file.read_text().splitlines()
    file.write_text("\n".join([header, row, row.replace("polyp", "ulcer")]))
    assert facts(params)["Mask from probabilities"] == "the most probable class"
    params["model"]["head"] = "sigmoid"
    assert facts(params)["Mask from probabilities"] == "a class above probability 0.5"


def test_post_processing_tells_what_it_changed(params):
    assert "Post-processing" not in facts(params)
    file = Path("reports/evaluate/metrics.json")
    changes = {"objects_removed": 12, "pixels_removed": 3456, "holes_filled": 1, "pixels_filled": 7, "dice_before": 0.8}
    metrics = json.loads(file.read_text()) | {f"postprocessing/{key}": value for key, value in changes.items()}
    file.write_text(json.dumps(metrics))
    expected = "removed 12 objects (3,456 pixels), filled 1 hole (7 pixels); without it the Dice is 0.800"
    assert facts(params)["Post-processing"] == expected


def test_limits_count_the_poor_cases(params):
    dice = read_results().cases.mean_of_cases("dice")
    limits = model_card(read_results(), params).limits
    assert limits[0] == f"{(dice < 0.5).sum()} of 23 test cases have a Dice below 0.5; the worst has 0.000."
    assert "It has seen 14 groups of one data set." in limits[1]


def test_what_the_test_side_does_not_show_is_a_limit(write, params, inside):
    (inside / "reports/evaluate/cases.csv").write_text(
        (inside / "reports/evaluate/cases.csv").read_text().splitlines()[0]
        + "\na,a,polyp" + "," * 11 + ",0,0,0,0,0,0,0\n"
    )  # fmt: skip
    limits = " ".join(model_card(read_results(), params).limits)
    assert "does not show polyp" in limits
    assert "Dice" not in limits


def test_the_use_names_classes_and_modality(params):
    assert model_card(read_results(), params).use.startswith("Marks polyp in endoscopy images like those of the data")


def test_a_missing_model_is_told(params):
    Path("models/best.pt").unlink()
    with pytest.raises(SegError, match=r"^models/best.pt is missing"):
        facts(params)
