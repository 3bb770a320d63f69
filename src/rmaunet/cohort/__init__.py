"""Segment scans and write the requested files, for one scan or a folder of scans."""
