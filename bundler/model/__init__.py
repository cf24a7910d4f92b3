"""Which values pass between the rooms? Frozen dataclasses, with no behaviour that needs I/O."""
