"""Meta-learners: what is learned on the meta set, seen only through logits and labels."""

NORMALIZATIONS = ("none", "sum", "sum_detached")
META_SETS = ("low_loss", "balanced", "given")
