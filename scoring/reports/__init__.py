"""What the command line and the site show alike: the report as plain values, and numbers in words."""
