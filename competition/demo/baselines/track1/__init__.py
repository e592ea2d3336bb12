"""Baseline of track 1, packed as cvpr-zip."""
