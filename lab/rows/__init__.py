"""The backtest of stored rows: a ruleset decides again about payments whose features are in ``transaction_history``.

The features are those of then: what other decisions would have taught the profiles is left out, which
:mod:`lab.backtest` computes from the payments themselves. So the rows can be decided in any order, on any number of machines.
"""
