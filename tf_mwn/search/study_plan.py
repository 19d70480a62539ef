"""The plan of a study, checked before anything is loaded. Does not import TensorFlow."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.methods import registry
from tf_mwn.methods.spec.method import Method
from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.search.sweep_plan import SweepPlan
from tf_mwn.settings.config import digest

STUDY = "study.json"
# The rows of a study, in order.
SEARCHED = "best fixed value of a search"
FINAL = "learned final value, fixed"
REPLAYED = "learned trajectory, replayed"
JOINT = "learned jointly"
_PREFIX = "adaptive_"


@dataclasses.dataclass(frozen=True)
class StudyPlan:
    """One adaptive method on one recipe.

    Attributes:
        method: the adaptive method.
        fixed: the method with the same loss and fixed hyper-parameters.
        joint: the adaptive runs.
        overrides: the settings of `fixed` that differ from the recipe.
        search: the search of its hyper-parameters.
    """

    method: Method
    fixed: Method
    joint: Experiment
    overrides: Mapping[str, Any]
    search: SweepPlan

    @classmethod
    def make(
        cls,
        recipe: str | None,
        overrides: Mapping[str, Any],
        method: str,
        seeds: Sequence[int],
        space: Sequence[str] | None = None,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> "StudyPlan":
        """The plan that a command line describes.

        Raises:
            ValueError, TypeError: one sentence that says what to change.
        """
        adaptive = [name for name in registry.METHODS if name.startswith(_PREFIX)]
        if method not in adaptive:
            raise ValueError(f"method: expected one of {', '.join(adaptive)}, received {method}")
        if overrides.get("fine_tuning_epochs"):
            raise ValueError(
                "fine_tuning_epochs: expected 0 in a study, which the meta set judges, "
                f"received {overrides['fine_tuning_epochs']}"
            )
        learned, fixed = registry.find(method), registry.find(method.removeprefix(_PREFIX))
        joint = resolve(recipe, overrides, [method], seeds, location)
        # The fixed loss does not have the options of the adaptive method.
        own = {name: value for name, value in overrides.items() if name not in learned.reads}
        search = SweepPlan.make(recipe, own, [fixed.name], seeds, space, location=location)
        return cls(learned, fixed, joint, own, search)

    @property
    def folder(self) -> str:
        """The folder below the workdir. Its name depends on everything that decides the study."""
        return f"{self.joint.folder}/study-{self.method.name}-{digest(self._decides())}"

    def identity(self) -> dict[str, Any]:
        """What the study compared: recipe, method, settings, seeds and search."""
        return {
            "recipe": self.joint.recipe.name,
            "method": self.method.name,
            "seeds": list(self.joint.seeds),
            **self._decides(),
        }

    def _decides(self) -> dict[str, Any]:
        changed = self.joint.config.differences(self.joint.recipe.config)
        return {"changed": changed, "plan": self.search.search_settings()}
