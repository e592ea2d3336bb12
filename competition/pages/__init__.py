"""The pages for people: the public ones, and those of whoever is signed in."""
