"""Counts ONNX graphs from their shapes alone: parameters and multiply-adds, running nothing."""
