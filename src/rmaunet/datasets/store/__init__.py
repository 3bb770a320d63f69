"""The slice store: prepared slices of many cases in two flat files that training reads."""
