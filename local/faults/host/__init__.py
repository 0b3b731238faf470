"""What goes onto the import path of a function's process in a test of faults; never into a zip."""
