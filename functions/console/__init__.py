"""The console: where people look at what was flagged, and decide."""
