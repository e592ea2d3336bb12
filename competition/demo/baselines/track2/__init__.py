"""Baseline of track 2, exported to ONNX."""
