"""What a first version of the system would be: one function, one payment after the other."""
