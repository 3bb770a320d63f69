"""From the name of one of the paper's tables or figures to that table or figure: train, predict, evaluate, write."""
