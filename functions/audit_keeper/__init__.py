"""The keeper of audit heads: writes each hour how the audit chains end to a bucket whose objects nobody can change."""
