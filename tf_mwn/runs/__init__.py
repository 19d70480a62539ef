"""One run: built, trained, checkpointed, read again, evaluated, exported, reported."""
