"""Bytes of a file to voxel values: containers, compression, sample formats and limits."""
