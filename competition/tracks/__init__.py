"""Competitions, their tracks, datasets and benchmark versions."""
