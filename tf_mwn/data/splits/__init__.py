"""The biased splits of one run, and the card that describes them."""
