"""The whole app over SSH: a server whose sessions are apps in this process, each on its own channel."""
