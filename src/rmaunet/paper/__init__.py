"""The paper: what it reports, its tables and figures as experiments, and the command that reproduces them."""
