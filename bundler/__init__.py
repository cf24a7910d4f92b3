"""arc-bundler: build a verified, portable bundle that brings an isolated server under Azure Arc.

The rooms; imports go down this list only:

``cli``         the commands
``flow``        the order of a command's steps    ``lab``  a local upstream for training and tests
``products``    what is installed
``definition``  bundle.yaml: load, validate, schema
``sources``     where packages are found
``render``      scripts and pages
``pack``        tree, manifest, containers
``signing``     how we sign
``trust``       whether bytes are trusted
``integrity``   whether a bundle is intact
``fetch``       downloads and the store
``formats``     from bytes to values
``model``       the values that pass between rooms
``data``        facts as data
``errors``      every way to fail
"""

__version__ = "0.4.0"
