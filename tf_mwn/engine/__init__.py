"""The bilevel engine: linearise the classifier once, learn everything else on its logits."""
