"""The bilevel engine: linearise the classifier once, learn everything else on its logits."""

VIRTUAL_VARIABLES = ("all", "last_block", "head")
SPEEDS = ("exact", "fast")
VIRTUAL_STEPS = ("plain", "optimizer")
