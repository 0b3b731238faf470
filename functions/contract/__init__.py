"""What passes between the stages: the records, their validation, and what a table is. No stage imports another one."""
