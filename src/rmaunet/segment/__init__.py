"""Scans in, files out: what `rmaunet segment` does for one scan and for a folder of them."""
