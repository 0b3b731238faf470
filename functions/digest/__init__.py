"""The digest stage: at an interval, one message for each user whose payments were flagged and not alerted on."""
