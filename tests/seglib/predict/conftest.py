"""A model to predict with."""

from pathlib import Path

import pytest

from seglib.checkpoint import Card
from tests.model_cards import card
from tests.predicting import THREE, write_model


@pytest.fixture
def own(own_folder: None) -> Card:
    """The card of `models/best.pt`."""
    own = card(classes=THREE)
    write_model(Path("models/best.pt"), own)
    return own
