"""Benchmarks of one machine: agreement of runtimes, time, memory."""
