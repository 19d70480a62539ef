"""Sample weights learned on meta data: L2RW and CMW-Net."""

META_SETS = ("low_loss", "balanced", "given")
