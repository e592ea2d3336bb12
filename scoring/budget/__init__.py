"""Counts what a package uses without running it, and compares usage with what a track allows."""
