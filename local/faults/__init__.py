"""Things that go wrong on purpose: proxies that stand between a function and its servers, and pass, delay, refuse or break."""
