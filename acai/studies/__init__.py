"""Studies: whole experiments, from data to results, on top of all other packages."""
