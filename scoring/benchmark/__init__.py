"""A benchmark run on one's own data: a frozen plan, chunks that survive a crash, a folder of results."""
