"""Reproduce one table or figure of the paper: plan, prepare, train, predict, score, write."""
