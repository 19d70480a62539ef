"""What is looked at before training: outputs, losses and batches."""
