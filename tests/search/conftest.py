"""Training replaced by curves."""

import pytest

from tests.search.tiny_sweeps import Curves
from tf_mwn.search import sweep_trial


@pytest.fixture
def training(monkeypatch):
    """Replaces training by curves; call it with the function that gives them."""

    def replace(curve) -> Curves:
        curves = Curves(curve)
        monkeypatch.setattr(sweep_trial, "train", curves)
        return curves

    return replace
