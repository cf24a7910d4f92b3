"""What does the practice upstream serve? Everything in it is generated, and says LAB."""
