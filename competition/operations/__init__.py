"""What machines ask: whether the site lives, whether it is ready, and its numbers."""
