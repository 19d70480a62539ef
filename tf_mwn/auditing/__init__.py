"""Which labels look wrong: suspects, noise rates and a transition matrix, from a trained model."""
