"""Augmentation of training slices. Every draw is a pure function of seed and position."""
