"""Leak detection: find scans of one patient in training and test data, whatever their format."""
