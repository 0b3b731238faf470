"""What a first version of the system would be: one function that takes one payment after the other."""
