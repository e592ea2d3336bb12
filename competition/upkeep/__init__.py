"""Looking after an installation: what rows and files disagree about, leftovers, backup and restore."""
