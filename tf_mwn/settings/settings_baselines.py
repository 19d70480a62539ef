"""Options: the clean set alone, two networks, a Gaussian-process teacher."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.teachers.gaussian_process_teacher import LENGTH_SCALES
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class BaselinesSettings:
    """Options of the methods in `tf_mwn.methods.teachers.specs`."""

    fine_tuning_epochs: int = setting(
        5, "Epochs on the meta set after the training on the given labels.", least=1
    )
    co_teaching_forget_rate: float | None = setting(
        None,
        "Fraction of a batch left out in the end; the noise rate by default.",
        within=admissible.BELOW_ONE,
    )
    co_teaching_gradual_epochs: int = setting(10, "Epochs until so many are left out.", least=1)
    co_teaching_exponent: float = setting(
        1.0, "c: the fraction grows like (epoch)^c.", within=admissible.POSITIVE
    )
    fwl_epochs: int = setting(20, "Epochs on the teacher's labels.", least=1)
    fwl_beta: float = setting(
        1.0, "β of the weights exp(-β Σ) of the teacher's labels.", within=admissible.NON_NEGATIVE
    )
    fwl_length_scale: str = setting(
        "median",
        "Length scale of the teacher: median distance, or of largest marginal likelihood.",
        choices=LENGTH_SCALES,
    )
    fwl_clusters: int = setting(1, "Gaussian processes, one per cluster of the meta set.", least=1)
