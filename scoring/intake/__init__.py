"""Takes an entry apart: from hostile bytes to a folder of plain files recognised as one format."""
