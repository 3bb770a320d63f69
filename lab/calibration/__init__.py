"""Calibration of probabilities: measured by voxel and drawn."""
