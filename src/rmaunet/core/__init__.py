"""What every room needs and none owns: names of files, checks of outputs, a walk through folders."""
