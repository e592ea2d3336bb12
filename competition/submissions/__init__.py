"""Submissions, their evaluations and scores, and the life they lead."""
