"""The analyst's bench: backtest, measures, data sets, rules-check."""
