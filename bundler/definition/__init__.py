"""Definitions without their product: loading, validation with line numbers, rules, naming and the common fields."""
