"""Makes something else of an entry: an ONNX file, a BYOM package, a compiled model."""
