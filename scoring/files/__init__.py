"""Folders to work in, and archives made from folders."""
