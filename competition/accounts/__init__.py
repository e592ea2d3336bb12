"""The account page: who is signed in, and the token for the API."""
