WHOSE = "the entry"
