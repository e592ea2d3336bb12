"""Competitions, tracks, datasets and benchmark versions in the admin."""
