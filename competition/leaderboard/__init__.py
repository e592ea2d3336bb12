"""Public boards: standings, ranking and who may see them."""
