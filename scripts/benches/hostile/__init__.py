"""Configs and files that a stranger could hand over, and a watched child process in which each is tried."""
