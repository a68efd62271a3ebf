"""Studies: complete experiments, from data to results, built on all other packages."""
