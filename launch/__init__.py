"""`python -m launch.main` and the like: short names for the modules of `tf_mwn.launch`.

Nothing imports a launcher by its short name, for that would be a second copy of the module.
"""

from tf_mwn.launch import __path__ as __path__
