"""Options: Estimated label noise and corrected labels."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.correction.specs import D2L_FIRST_LOSSES, GLC_ESTIMATES
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class CorrectionSettings:
    """Options of the methods in `tf_mwn.methods.correction.specs`."""

    glc_estimate: str = setting(
        "soft", "GLC's matrix: mean probabilities, or counts.", choices=GLC_ESTIMATES
    )
    s_model_pretraining: float = setting(
        0.1, "Part of the epochs before the S-Model's channel.", within=admissible.UNIT
    )
    s_model_noise_rate: float | None = setting(
        None,
        "Noise rate the S-Model's channel starts from; counts after pre-training by default.",
        within=admissible.NOISE_RATE,
    )
    d2l_start: float = setting(
        1 / 3, "Part of the epochs before D2L's window.", within=admissible.BELOW_ONE
    )
    d2l_window: int = setting(5, "Epochs in D2L's window.", least=1)
    d2l_neighbours: int = setting(20, "Neighbours in D2L's estimate.", least=2)
    d2l_first_loss: str = setting(
        "cross_entropy", "D2L's loss up to the turning point.", choices=D2L_FIRST_LOSSES
    )
