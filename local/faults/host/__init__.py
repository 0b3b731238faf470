"""Modules for the import path of a function's process in tests of faults; never part of a zip."""
