"""Check a data set before training or scoring, and write a repaired copy."""
