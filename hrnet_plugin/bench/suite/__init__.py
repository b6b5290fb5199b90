"""Suites: what is measured to hold the targets against, and on a graphics card."""
