"""Options: Sample weights learned on meta data."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.reweighting import META_SETS
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class ReweightingSettings:
    """Options of the methods in `tf_mwn.methods.reweighting.specs`."""

    weight_net: str | None = setting(
        None,
        "File of a weight net that has learned before, on any data (weight_net.json of a run). It "
        "weighs as it is: no meta set, no meta step, the cost of plain training.",
        names_file=True,
    )
    cmw_clusters: int = setting(3, "Groups of classes of like size, a head of V each.", least=1)
    cmw_meta_set: str = setting(
        "low_loss",
        "Meta set of CMW-Net: examples of low loss, or as many of each class, found anew in the "
        "training set before every epoch; or the clean one that is given.",
        choices=META_SETS,
    )
    cmw_meta_per_class: int | None = setting(
        None,
        "Images per class in the meta set that is found; by default 10 (low_loss) or the size of "
        "the smallest class (balanced).",
        least=1,
    )
    cmw_warmup: float = setting(
        0.1, "Fraction of the epochs on plain cross-entropy.", within=admissible.UNIT
    )
    cmw_ema: float = setting(
        0.997, "Momentum of the averaged classifier.", within=admissible.BELOW_ONE
    )
    cmw_mixup: float = setting(
        4.0, "a of mixup's Beta(a, a); 0 mixes nothing.", within=admissible.NON_NEGATIVE
    )
