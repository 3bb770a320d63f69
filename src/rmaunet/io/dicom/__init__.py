"""DICOM CT: find files, group series, order slices, decode pixels, convert to HU."""
