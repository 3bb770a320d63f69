"""Formats with one header and one block of voxels: NRRD, MetaImage and MRC."""
