"""The site's pages: the public ones, and those of signed-in participants."""
