"""Deploys approved changes of the ruleset, and nothing else."""
