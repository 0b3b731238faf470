"""Whether a candidate and rules may stay: what both sides said of the same payments, counted and compared."""
