"""What this machine makes of the network: agreement of runtimes, times, memory."""
