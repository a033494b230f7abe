"""Widgets: what stands on the screen."""
