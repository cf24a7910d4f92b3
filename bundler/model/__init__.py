"""The values that pass between the rooms: frozen dataclasses, without I/O."""
