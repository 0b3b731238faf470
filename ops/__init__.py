"""What the make targets for AWS do beyond one call of Terraform. ``python -m ops --help`` lists it.

Each command first checks what it needs and says in one sentence what is missing. The same commands run by hand and in CI.
"""
