"""Data sets, cases and splits; phantoms; the slice store training reads; leak detection."""
