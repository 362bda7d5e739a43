"""Samples to be split, and ways to do it."""

from seglib.sections.split import Split
from seglib.splitting import SIDES

DRAWN = {
    "by chance": {},
    "stratified": {"stratify": True},
    "folds": {"folds": 3, "fold": 1},
    "stratified folds": {"folds": 3, "fold": 1, "stratify": True},
}


def settings(**changed):
    defaults = {"val": 0.15, "test": 0.2, "seed": 0, "stratify": False, "folds": 0, "fold": 0, "official": True}
    return Split(**{**defaults, **changed})


def sample(name, group, pixels=(90, 10), side=None):
    return {"id": name, "group": group, "shape": [10, 10], "pixels": list(pixels), "ignored": 0, "side": side}


def index(groups, **fields):
    return [sample(f"{group}-{i}", group, **fields) for group, number in groups.items() for i in range(number)]


def patients(number, **fields):
    return index({f"patient{i}": 1 for i in range(number)}, **fields)


def side_of(sides):
    return {name: side for side in SIDES for name in sides[side]}


def official(**numbers):
    """Samples of their own groups, whose ids begin with the side of the list that names them."""
    listed = []
    for name, number in numbers.items():
        side = None if name == "unlisted" else name
        listed += [sample(f"{name}{i}", f"{name}{i}", side=side) for i in range(number)]
    return listed
