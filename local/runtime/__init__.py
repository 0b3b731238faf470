"""The Lambda service on one machine: functions' zips run in processes of their own, under AWS's own runtime client."""
