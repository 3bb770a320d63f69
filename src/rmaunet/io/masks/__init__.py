"""Masks of any format: find the file, read its labels, place it on the grid of a CT."""
