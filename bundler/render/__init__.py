"""Renders what servers and people read: scripts, review pages, network requirements."""
