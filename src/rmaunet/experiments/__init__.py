"""The paper as data, and our own experiments."""
