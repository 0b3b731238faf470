"""The Lambda service on one machine: runs functions' zips in processes of their own, under AWS's own runtime client."""
