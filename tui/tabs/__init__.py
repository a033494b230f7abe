"""The tabs of the main screen."""
