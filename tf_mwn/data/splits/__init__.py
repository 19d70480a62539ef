"""The splits of one run, biased, and the card that describes them."""
