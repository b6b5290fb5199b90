"""Modules that are executed under another module's name where that one is not installed."""
