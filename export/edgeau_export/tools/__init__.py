"""Compilers and simulators in environments of their own: how those are made, and sessions that run in them."""
