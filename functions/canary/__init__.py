"""The canary: sends small payments through the whole system at an interval, and measures whether they come out."""
