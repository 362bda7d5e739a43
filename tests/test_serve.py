"""`seg serve` as a new user asks it: real photographs, as they were published."""

import base64
import zipfile

import numpy as np

from seglib.opening import open_segmentation
from tests.model_cards import card
from tests.predicting import write_model
from tests.serving import LIMITS, decoded, serving


def test_real_photographs_get_the_masks_that_the_model_gives_them(tmp_path, real_data):
    write_model(tmp_path / "best.pt", card(modality="endoscopy", image_size=64))
    segmentation = open_segmentation(tmp_path / "best.pt", "cpu", 1)
    with zipfile.ZipFile(real_data / "kvasir-seg.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("Kvasir-SEG/images/"))[:3]
        photos = [archive.read(name) for name in names]
    with serving(segmentation, LIMITS) as client:
        for photo in photos:
            image = decoded(photo)
            expected = segmentation.segment(image, None).mask
            assert expected.any()
            assert np.array_equal(decoded(client.post(photo, "/predict?only=mask").body), expected)
            answer = client.post(photo).json
            assert [answer["height"], answer["width"]] == [*image.shape[:2]]
            assert [each["pixels"] for each in answer["classes"]] == [expected.sum()]
            assert decoded(base64.b64decode(answer["overlay"])).shape == (*image.shape[:2], 4)
        assert client.post(photos[0][:3000]).status == 422
        assert client.get("/health").json["queue"] == 0
