"""The flow from an entry to a report: `pipeline` is the list, `stages` what each step does."""
