"""Faults on purpose: bad answers of AWS, and the clock, disk and time-outs of a function's processes, set by tests."""
