"""What Ctroom does, without a screen: turns, accounting, keys, settings, models, alerts and reports."""
