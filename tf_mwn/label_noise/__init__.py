"""What labels, predictions and weights say about wrong labels: numbers, without a model."""
