"""What the README's figures come from: measurements that compare within one run, of the functions' own zips."""
