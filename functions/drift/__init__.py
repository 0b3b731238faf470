"""The drift stage: compares payments with those that the model was trained on, and what it said with what became known."""
