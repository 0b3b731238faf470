"""What Terraform and the local stack deploy, built from the sources: the functions' zips and the Glue job's packages.

The same sources give the same bytes, so a plan shows a change only where there is one. ``python -m ops.packaging --help`` lists
the commands. The folder is not called ``build``, because git and the linters ignore every folder of that name.
"""
