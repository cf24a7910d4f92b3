"""The command line: a module for each command. The only room that imports click and rich, or exits."""
