"""Facts that every room shares: names of files, names and codes of segments, checks of outputs, a walk through folders."""
