"""What the make targets run around Terraform: plan, apply and drift, redrive, rulesets, packages, cost and scale.

``python -m ops --help`` lists the commands of an environment. Each first checks what it needs, and says in one sentence what
is missing. People and CI run the same commands.
"""
