"""Sample weights learned on meta data: L2RW and CMW-Net."""
