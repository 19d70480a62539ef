"""What a recipe is."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tf_mwn.settings.config import Config


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A named experiment: settings for one data set, and the methods it compares.

    Attributes:
        group: heading under which `--recipe=list` shows it.
        name: what `--recipe` calls it, and its folder's name.
        title: one line.
        source: where the settings come from.
        expected: last-epoch test accuracy to expect, with its seeds.
        cost: time on two CPU cores.
        settings: what differs from `Config`'s defaults.
        methods: run by default, in this order.
        files: what the user has to supply by `--dataset`, and in which form; empty if nothing.
    """

    group: str
    name: str
    title: str
    source: str
    expected: str
    cost: str
    settings: Mapping[str, Any]
    methods: tuple[str, ...] = ("cross_entropy", "meta_weight_net")
    files: str = ""

    @property
    def config(self) -> Config:
        return Config(**self.settings)
