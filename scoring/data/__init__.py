"""Labelled data in a folder, read and checked with the standard library alone; the site imports it too."""
