"""What machines ask, whether the site lives, is ready, and its numbers; and the page of those who run it."""
