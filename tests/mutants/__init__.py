"""`make mutants`: a seeded sample of small changes to the code, one at a time, each of which the unit tests must notice.

Two environments work together. ``draw`` runs in `.venv-mutants`, which holds mutmut and libcst: mutmut's operators make the
changes, but its own runner takes no seed and leaves out the constants of modules and all decorated functions, limits and
properties among them. ``__main__`` runs in `.venv`: it finds out which tests run which line, runs those for each change, and
reports the share that was caught.
"""
