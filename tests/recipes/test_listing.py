"""Lists name every recipe and every method."""

from tf_mwn.methods.registry import METHODS
from tf_mwn.recipes import listing
from tf_mwn.recipes.experiment import RECIPES


def test_lists_name_every_recipe_and_method():
    assert all(f"{name}:" in listing.recipes() for name in RECIPES)
    assert all(f"{name}:" in listing.methods() for name in METHODS)
