"""What is measured of each class in each case: names, units, and which direction is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure of one class in one case, a column of `cases.csv`."""

    name: str
    label: str
    unit: str = ""
    """Empty for a share; `distance`: mm where the spacing of every test case is known, else pixels."""
    better: int = 1
    """1: higher is better; -1: lower; 0: nearer to 0."""


MEASURES = (
    Measure("dice", "Dice"),
    Measure("iou", "IoU"),
    Measure("precision", "Precision"),
    Measure("recall", "Recall"),
    Measure("nsd", "NSD"),
    Measure("hd95", "HD95", "distance", -1),
    Measure("assd", "ASSD", "distance", -1),
    Measure("volume_difference", "Volume difference", better=0),
    Measure("calibration_error", "Calibration error", better=-1),
)
COUNTS = ("both", "truth", "guess", "lesions", "lesions_found", "lesions_guessed", "lesions_false")
"""Pixels in both maps, in the truth, in the prediction; objects of the truth and those of them that are found,
objects of the prediction and those of them that are false."""
AT_MODEL_SIZE = ("dice_at_model_size", "iou_at_model_size")
"""Dice and IoU of the prediction as the network gives it, against the truth resized as for training."""
COLUMNS = (*(measure.name for measure in MEASURES), *AT_MODEL_SIZE, *COUNTS)
OF_CASES = (
    *MEASURES,
    *(
        Measure(name, f"{label} at the model's size")
        for name, label in zip(AT_MODEL_SIZE, ("Dice", "IoU"), strict=True)
    ),
)
POOLED = (
    Measure("dice_pooled", "Dice, pooled"),
    Measure("iou_pooled", "IoU, pooled"),
    Measure("precision_pooled", "Precision, pooled"),
    Measure("recall_pooled", "Recall, pooled"),
    Measure("lesion_recall", "Objects found"),
    Measure("lesion_precision", "Objects that are true"),
    Measure("lesion_f1", "F1 of objects"),
)
FIGURES = (*OF_CASES, *POOLED)
"""Of a test set: means over the cases, then sums over the cases divided, as `seglib.metrics` defines them."""
