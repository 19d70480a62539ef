"""A recipe: named settings, with their source and their expected result."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tf_mwn.settings.config import Config


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A named experiment: settings for one data set, and the methods it compares.

    Attributes:
        group: heading under which `--recipe=list` shows it.
        name: value of `--recipe`, and name of the folder.
        title: one line.
        source: where the settings come from.
        expected: test accuracy to expect, last epoch unless said otherwise, and over which seeds.
        cost: time on two CPU cores unless said otherwise.
        settings: those that differ from the defaults of `Config`.
        methods: the default methods, in order.
        files: the files that the user has to supply by `--dataset`; empty if none.
        label_list: name of the list of labels, a file that the user has to supply by
            `--label_file`; empty if none.
        reasons: of settings that follow the data: name, value and reason of each that is worth a
            line; empty for other recipes.
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
    label_list: str = ""
    reasons: tuple[tuple[str, Any, str], ...] = ()

    @property
    def config(self) -> Config:
        return Config(**self.settings)
