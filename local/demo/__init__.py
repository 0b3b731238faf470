"""The whole system in two minutes: real parts, a simulated month, and an account of every transaction."""
