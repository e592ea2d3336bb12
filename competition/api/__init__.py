"""The REST API's edges: addresses, schema, and how errors are told."""
