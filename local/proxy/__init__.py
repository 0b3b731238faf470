"""Proxies between a function and its servers: they forward, delay and count; tests of faults let them refuse, break and change."""
