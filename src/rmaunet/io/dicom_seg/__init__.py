"""DICOM Segmentation objects."""
