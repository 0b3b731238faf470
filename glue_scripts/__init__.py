"""The Glue streaming job: files of the landing bucket, cleaned, onto the topic ``transaction_stream``."""
