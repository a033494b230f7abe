"""The domain: what a turn, a quota and a setting are. Knows no screen, no store and no SDK."""
