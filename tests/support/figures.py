"""What tests measure, told at the end of the run."""

FIGURES = "figures"
"""The property that a test records its figures under."""
