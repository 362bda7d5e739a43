import io

import numpy as np
import pytest
from PIL import Image

from seglib.io.images import read_indices
from seglib.io.palette import palette_png


@pytest.mark.parametrize("classes", [2, 3, 9, 250])
def test_a_mask_keeps_its_indices_and_shows_its_colours(tmp_path, classes):
    random = np.random.default_rng(0)
    mask = random.integers(0, classes, (13, 17)).astype(np.uint8)
    colours = [(int(red), int(green), int(blue)) for red, green, blue in random.integers(0, 256, (classes, 3))]
    content = palette_png(mask, colours)
    (tmp_path / "a.png").write_bytes(content)
    assert np.array_equal(read_indices(tmp_path / "a.png"), mask)
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image.convert("RGB")), np.array(colours, np.uint8)[mask])
    assert palette_png(mask.copy(), colours) == content
