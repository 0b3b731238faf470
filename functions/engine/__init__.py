"""The engine: payment and state in, decision out. Pure: no AWS, no Redis, no clock, no logger."""
