"""The whole system in two minutes: the real parts, 90 simulated days, and a check that each transaction arrives exactly once."""
