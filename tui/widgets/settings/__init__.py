"""The sections of the settings tab."""
