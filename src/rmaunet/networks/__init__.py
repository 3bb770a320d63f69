"""Networks: one file each; slices in, logits out. ``NETWORKS`` maps each name to the function that builds it.

:mod:`rmaunet.networks.facts` holds what tables print of each; :mod:`rmaunet.networks.adapter` borrows from other libraries.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
