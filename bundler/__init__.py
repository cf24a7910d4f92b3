"""arc-bundler: make a verified, portable bundle that brings an isolated server under Azure Arc.

The rooms of this house, each answering one question; imports go down this list only:

``cli``       how is it asked and told?
``flow``      in which order?              ``lab``  what does the practice upstream serve?
``products``  what is installed?
``sources``   where is it found?
``render``    what will the target read?
``pack``      how is it wrapped?
``seal``      how will others believe us?
``fetch``     how do bytes travel and rest?
``trust``     are the bytes to be believed?
``formats``   what do the bytes say?
``model``     which values pass between the rooms?
``data``      which facts do we stand on?
``errors``    how can it fail?
"""

__version__ = "0.2.0.dev0"
