"""Submissions and evaluations in the admin."""
