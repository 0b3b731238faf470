"""The measurements behind `docs/figures.md`: of the functions' own zips, and of the whole local stack under load."""
