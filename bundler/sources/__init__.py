"""Finds packages: at a URL, in an apt or yum repository, in a local file."""
