"""Public boards: ranking, selectors, pages and API."""
