"""The upkeep of labels: sends unfinished ones again, fills the cache's copies, and keeps the usual share of fraud up to date."""
