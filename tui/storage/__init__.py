"""Durable state: TinyDB files replaced whole, one writer at a time, and keys in the OS keyring."""
