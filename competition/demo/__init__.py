"""The demonstration: real image data, two small baselines, two entries that are refused."""
