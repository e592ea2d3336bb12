"""The sandbox: runs hostile code under limits and hands back bytes that are parsed as hostile."""
