"""Training phases of whole epochs, and snapshots of variables."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.replicas import state
from tf_mwn.tensors import Tensor


class Phases:
    """The phase that a model's training is in, kept in a variable of the model.

    The epochs are counted in the model, not by `fit`: a saved or checkpointed model
    continues in its phase. The last phase does not end after its last epoch.

    Args:
        owner: the model.
        lengths: epochs of each phase, by name and in order; at least 1 each.

    Attributes:
        lengths: as given.
        num_epochs: of all phases together.
    """

    def __init__(self, owner: keras.Model, lengths: Mapping[str, int]) -> None:
        self.lengths = {name: check_count(name, epochs) for name, epochs in lengths.items()}
        self.num_epochs = sum(self.lengths.values())
        self._done = state(owner, "epochs_done", dtype="int32")
        # The last value read, so that a step does not wait for the variable.
        self._known: int | None = None

    def locate(self) -> int:
        """Reads the number of epochs done; called at the start of an epoch."""
        self._known = int(self._done.numpy())
        return self._known

    def advance(self) -> None:
        """Counts an epoch that has ended."""
        self._done.assign(self._done + 1)
        self.locate()

    @property
    def epochs_done(self) -> int:
        """Epochs that have ended, in all phases."""
        return self.locate() if self._known is None else self._known

    @property
    def epoch(self) -> int:
        """Epochs of the current phase that have ended."""
        return self._position()[1]

    @property
    def current(self) -> str:
        """The phase of the epoch that runs, or of the next."""
        return self._position()[0]

    @property
    def is_starting(self) -> bool:
        """Whether the next epoch is the first of its phase."""
        return self.epoch == 0

    def _position(self) -> tuple[str, int]:
        rest = self.epochs_done
        *earlier, last = self.lengths
        for name in earlier:
            if rest < self.lengths[name]:
                return name, rest
            rest -= self.lengths[name]
        return last, rest


class Snapshot:
    """A copy of some variables' values, kept in variables of the model.

    It holds the values at construction until `take` is called.
    """

    def __init__(self, owner: keras.Model, name: str, variables: Sequence[keras.Variable]) -> None:
        self._variables = list(variables)
        self._copies = [
            state(owner, f"{name}_{i}", variable.shape, dtype=variable.dtype)
            for i, variable in enumerate(self._variables)
        ]
        self.take()

    def take(self) -> None:
        """Copies the current values."""
        for copy, variable in zip(self._copies, self._variables, strict=True):
            copy.assign(variable)

    def values(self) -> list[Tensor]:
        """The copied values."""
        return [tf.convert_to_tensor(copy) for copy in self._copies]

    def restore(self) -> None:
        """Assigns the copied values to the variables."""
        for copy, variable in zip(self._copies, self._variables, strict=True):
            variable.assign(copy)
