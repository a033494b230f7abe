"""Dialogs: modal screens, each imported when it is first opened."""
