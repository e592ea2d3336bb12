"""Who is signed in, and their token for the API."""
