"""`check`: what the quality gate looks for and shows."""

from typing import Annotated

from pydantic import Field

from seglib.config import Section


class Check(Section):
    """Options of the quality gate."""

    near_duplicate: Annotated[float, Field(gt=0.5, le=1)]
    """Correlation of two images, as 32×32 grey values, from which they count as near-identical."""
    contact_sheet: Annotated[int, Field(ge=1, le=400)]
    """Samples shown on the contact sheet, those with findings first."""
