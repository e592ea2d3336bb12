"""Template tags of the pages about submissions."""
