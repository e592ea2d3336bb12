"""Errors to Sentry and traces to an OpenTelemetry collector, where the environment names them.

Both get lists of what may leave and nothing else. Names of entries and people, addresses, tokens, messages of
exceptions, values of variables and what requests hold stay here.
"""
