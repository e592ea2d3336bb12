"""The admin: where organisers arrange competitions, and staff look after submissions."""
