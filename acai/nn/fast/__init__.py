"""What makes the network fast: compiled kernels, and batches spread over threads."""
