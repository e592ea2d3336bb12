"""The REST API: its operations, the shapes they answer in, and how errors are told."""
