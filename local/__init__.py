"""The same system on one machine: broker, cache, AWS API, function runtime, event source mappings, Glue job, and their commands."""
