"""Options: Teachers and losses that are learned."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.teachers import TEACHING_REWARDS
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class TeachingSettings:
    """Options of the methods in `tf_mwn.methods.teachers.teaching_specs`."""

    l2t_episodes: int = setting(10, "Trainings from which the teacher learns.", least=1)
    l2t_episode_epochs: int | None = setting(
        None, "Epochs of each of them; a tenth of the epochs by default.", least=1
    )
    l2t_reward: str = setting(
        "accuracy",
        "What the teacher is rewarded for: accuracy on the meta set, or speed in getting there.",
        choices=TEACHING_REWARDS,
    )
    l2t_accuracy: float = setting(
        0.8, "Accuracy on the meta set that counts for speed.", within=admissible.FRACTION
    )
