"""Tracks that ship with Podium, one YAML file each, and the sample images for measuring."""
