"""What ``scripts/bench`` measures: a module per bench, plain programs to compare with, the results file, the table."""
