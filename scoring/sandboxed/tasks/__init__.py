"""What the child can be asked to do: one module for each task, started by `__main__`."""
