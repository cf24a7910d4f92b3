"""Commands as sequences of steps: one module or package for each."""
